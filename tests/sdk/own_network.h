// A network of this thread's own, and of the threads and programs that it starts: nothing of it is seen outside, and it
// ends with this object. For tests that change addresses; needs the rights for it and the program ip.
#pragma once

#include <string>

namespace atm0s::test {

class OwnNetwork {
 public:
  OwnNetwork();
  ~OwnNetwork();  // the thread is back where it was
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;

  bool is_there() const { return is_there_; }
  // Arguments of ip, "addr add 10.9.0.1/24 dev a".
  static bool ip(const std::string& arguments);

 private:
  int before_ = -1;
  bool is_there_ = false;
};

}  // namespace atm0s::test

// What happened in a simulation, for people: one line each for who joined, what he was told, when he saw the first
// picture of whom, who was asked for a key frame. World writes it; trace_test compares it with text files.
#pragma once

#include <map>
#include <string>

#include "client.h"

namespace atm::sim {

// An event of the session protocol in a few words.
std::string text_of(const contract::Event& event);

class EventTrace {
 public:
  // `at`: virtual time since the world began.
  void add(Duration at, const std::string& who, const std::string& what);
  // Writes down what `client` has noticed since the last call.
  void observe(Duration at, Client& client);

  const std::string& text() const { return text_; }

 private:
  struct Seen {
    size_t events = 0;
    uint64_t key_frames_wanted = 0;
    bool is_ready = false;
    std::map<size_t, uint32_t> shown;  // by receiver
    std::map<size_t, bool> heard;
  };
  std::map<uint32_t, Seen> seen_;  // by client
  std::string text_;
};

}  // namespace atm::sim

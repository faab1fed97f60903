// An ICE server that a client may use: an entry of `ice_servers` in the answer to connect, in the shape of
// RTCIceServer (W3C webrtc-pc 4.2.1). Made by control/token, encoded by contract/json.
#pragma once

#include <string>
#include <vector>

namespace atm::contract {

struct IceServer {
  std::vector<std::string> urls;
  std::string username, credential;  // "": none are needed
};

}  // namespace atm::contract

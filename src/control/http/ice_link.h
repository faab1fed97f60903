// An ICE server in a Link header (RFC 9725 4.6), as WHIP and WHEP tell their clients of one. For the router alone.
#pragma once

#include <string>
#include <string_view>

namespace atm::control {

// <turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password"
// "" for both: none are needed. No header can come of it but this one: what ends a line or an address is left out.
std::string ice_server_link(std::string_view url, std::string_view username, std::string_view credential);

}  // namespace atm::control

#include "control/http/ice_link.h"

namespace atm::control {
namespace {

// RFC 9110 5.6.4: a quoted string, with quotes and backslashes escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string ice_server_link(std::string_view url, std::string_view username, std::string_view credential) {
  std::string out = "<";
  for (const char c : url) {
    if (c > 0x20 && c != 0x7f && c != '<' && c != '>') out += c;
  }
  out += ">; rel=\"ice-server\"";
  if (username.empty() && credential.empty()) return out;
  return out + "; username=" + quoted(username) + "; credential=" + quoted(credential) +
         "; credential-type=\"password\"";
}

}  // namespace atm::control

#include "io/http/request_text.h"

#include <algorithm>

namespace atm::io {
namespace {

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// RFC 9110 5.5: no control characters but the tabulator.
bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool has_header(const HttpRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const auto& header) { return is_same_name(header.first, name); });
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (is_same_name(key, name)) return value;
  }
  return {};
}

Result<std::string> write_request(const HttpRequest& request, const Url& url, const std::string& user_agent) {
  if (!is_token(request.method)) return fail(ErrorCode::kInvalidRequest, "the HTTP method is no token");
  // RFC 9110 9.3.6: it makes a tunnel, and its target has another form.
  if (request.method == "CONNECT") return fail(ErrorCode::kInvalidRequest, "the HTTP method CONNECT is not supported");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return fail(ErrorCode::kInvalidRequest, "the name of an HTTP header is no token");
    if (!is_value(value))
      return fail(ErrorCode::kInvalidRequest, "the HTTP header " + name + " has a control character");
    for (const std::string_view ours : {"content-length", "transfer-encoding", "connection"}) {
      if (is_same_name(name, ours))
        return fail(ErrorCode::kInvalidRequest, "the HTTP header " + name + " is not yours");
    }
  }
  if (!is_value(user_agent)) return fail(ErrorCode::kInvalidConfig, "the user agent has a control character");
  std::string out = request.method + " " + url.target + " HTTP/1.1\r\n";
  if (!has_header(request, "host")) append_header(out, "Host", url.host_header());
  if (!has_header(request, "user-agent") && !user_agent.empty()) append_header(out, "User-Agent", user_agent);
  for (const auto& [name, value] : request.headers) append_header(out, name, value);
  // RFC 9110 8.6: a POST says its length also when that is 0, a GET without a body does not.
  const bool has_length =
      !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (has_length) append_header(out, "Content-Length", std::to_string(request.body.size()));
  out.append("Connection: close\r\n\r\n").append(request.body);
  return out;
}

}  // namespace atm::io

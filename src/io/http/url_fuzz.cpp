// Any bytes as a URL: refused with a reason, or in parts with which a request can be written safely, and which are the
// same when they are written and parsed again.
#include "base/assert.h"
#include "io/http/client.h"
#include "io/http/request_text.h"
#include "io/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = io::parse_url(text);
  if (!url) {
    ASSERT(url.error().code == ErrorCode::kInvalidConfig && url.error().why.starts_with("URL: "));
    return 0;
  }
  ASSERT(!url->host.empty() && url->host.size() <= io::kMaxHostBytes && url->port != 0);
  const auto again = io::parse_url(url->to_string());
  // "?x" becomes "/?x", which may be one byte too long; nothing else grows.
  ASSERT(again || text.size() + 1 >= io::kMaxUrlBytes);
  if (again) {
    ASSERT(again->host == url->host && again->port == url->port && again->target == url->target &&
           again->is_https == url->is_https);
  }
  const auto request = io::write_request({}, *url, "fuzz");
  ASSERT(request);
  // One request line and three headers: nothing in the URL made another line.
  size_t lines = 0;
  for (const char c : *request) lines += c == '\n' ? 1 : 0;
  ASSERT(lines == 5 && request->find(' ') == 3 && request->ends_with("\r\n\r\n"));
  return 0;
}

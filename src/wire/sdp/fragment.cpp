#include "wire/sdp/fragment.h"

#include "wire/sdp/attribute.h"
#include "wire/sdp/lines.h"
#include "wire/sdp/scan.h"
#include "wire/sdp/sdp.h"

namespace atm::sdp {
namespace {

class FragmentParser {
 public:
  Result<Fragment> run(std::string_view text) {
    if (const Why why =
            lines_.each(text, [this](char type, std::string_view value) { return read_line(type, value); })) {
      return lines_.refuse(why);
    }
    return finish();
  }

 private:
  Why read_line(char type, std::string_view value) {
    if (type == 'm') return read_media(value);
    if (type != 'a') return nullptr;  // RFC 8840 9.2 knows none, whole descriptions have some
    const std::string_view name = take_until(value, ':');
    if (!session_.media.empty()) return read_media_attribute(session_.media.back(), name, value);
    if (name == "end-of-candidates") is_end_of_candidates_ = true;
    return read_session_attribute(session_, name, value);
  }

  // RFC 8840 9.2: a pseudo m-line, whose port and format say nothing.
  Why read_media(std::string_view value) {
    if (session_.media.size() >= kMaxMedia) return "too many m-lines";
    MediaDescription media;
    media.kind = take_word(value);
    if (!consists_of(media.kind, 1, kMaxTokenBytes, is_token_char)) return "malformed m-line";
    session_.media.push_back(std::move(media));
    return nullptr;
  }

  Result<Fragment> finish() {
    Fragment out;
    out.is_ice_lite = session_.is_ice_lite;
    out.ufrag = std::move(session_.transport.ice_ufrag);
    out.pwd = std::move(session_.transport.ice_pwd);
    out.is_end_of_candidates = is_end_of_candidates_;
    if (out.ufrag.empty() != out.pwd.empty()) return lines_.refuse("ice-ufrag and ice-pwd belong together");
    for (MediaDescription& media : session_.media) {
      if (media.transport.ice_ufrag.empty() != media.transport.ice_pwd.empty()) {
        return lines_.refuse("ice-ufrag and ice-pwd belong together");
      }
      out.media.push_back({std::move(media.kind), std::move(media.mid), std::move(media.transport.ice_ufrag),
                           std::move(media.transport.ice_pwd), std::move(media.candidates),
                           media.is_end_of_candidates});
    }
    return out;
  }

  Description session_;
  bool is_end_of_candidates_ = false;
  Lines lines_;
};

void add_credentials(std::string& out, const std::string& ufrag, const std::string& pwd) {
  if (!ufrag.empty()) out += "a=ice-ufrag:" + ufrag + "\r\n";
  if (!pwd.empty()) out += "a=ice-pwd:" + pwd + "\r\n";
}

}  // namespace

std::optional<Fragment::Credentials> Fragment::credentials() const {
  if (!ufrag.empty()) return Credentials{ufrag, pwd};
  for (const FragmentMedia& one : media) {
    if (!one.ufrag.empty()) return Credentials{one.ufrag, one.pwd};
  }
  return std::nullopt;
}

Result<Fragment> parse_fragment(std::string_view text) {
  return FragmentParser().run(text);
}

std::string to_text(const Fragment& fragment) {
  std::string out;
  if (fragment.is_ice_lite) out += "a=ice-lite\r\n";
  add_credentials(out, fragment.ufrag, fragment.pwd);
  if (fragment.is_end_of_candidates) out += "a=end-of-candidates\r\n";
  for (const FragmentMedia& media : fragment.media) {
    // RFC 8840 9.2: as if it were of a description, with any format.
    out += "m=" + media.kind + " 9 RTP/AVP 0\r\n";
    if (!media.mid.empty()) out += "a=mid:" + media.mid + "\r\n";
    add_credentials(out, media.ufrag, media.pwd);
    for (const std::string& candidate : media.candidates) out += "a=" + candidate + "\r\n";
    if (media.is_end_of_candidates) out += "a=end-of-candidates\r\n";
  }
  return out;
}

}  // namespace atm::sdp

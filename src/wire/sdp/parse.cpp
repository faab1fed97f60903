#include <utility>

#include "wire/sdp/attribute.h"
#include "wire/sdp/lines.h"
#include "wire/sdp/scan.h"
#include "wire/sdp/sdp.h"

namespace atm::sdp {
namespace {

class Parser {
 public:
  Result<Description> run(std::string_view text) {
    if (const Why why =
            lines_.each(text, [this](char type, std::string_view value) { return read_line(type, value); })) {
      return lines_.refuse(why);
    }
    if (!is_started_) return lines_.refuse("no session description");
    give_session_values_to_media();
    return std::move(session_);
  }

 private:
  Why read_line(char type, std::string_view value) {
    if (!is_started_) {
      if (type != 'v' || value != "0") return "a session description starts with v=0";
      is_started_ = true;
      return nullptr;
    }
    switch (type) {
      case 'v':
        return "a second v= line";
      case 'o':
        return session_.media.empty() ? read_origin(value) : "o= inside an m-section";
      case 'm':
        return read_media(value);
      case 'b':
        return session_.media.empty() ? nullptr : read_bandwidth(value);
      case 'a':
        return read_attribute(value);
      default:
        return nullptr;  // s, t, c, i, u, e, p, r, z, k: nothing in them for WebRTC (RFC 9429 5.8)
    }
  }

  Why read_origin(std::string_view value) {
    take_word(value);  // user name
    const auto id = parse_number<uint64_t>(take_word(value));
    const auto version = parse_number<uint64_t>(take_word(value));
    if (!id || !version) return "malformed origin";
    session_.origin = {*id, *version};
    return nullptr;
  }

  Why read_media(std::string_view value) {
    if (session_.media.size() >= kMaxMedia) return "too many m-lines";
    MediaDescription media;
    media.kind = take_word(value);
    std::string_view port = take_word(value);
    const auto number =
        parse_number<uint16_t>(take_until(port, '/'));  // "/count" is for layered multicast: no use here
    media.protocol = take_word(value);
    while (!(value = trimmed(value)).empty()) {
      if (media.formats.size() >= kMaxFormats) return "too many formats";
      media.formats.emplace_back(take_word(value));
    }
    // RFC 8866 9: media-field; at least one format.
    if (media.kind.empty() || !number || media.protocol.empty() || media.formats.empty()) return "malformed m-line";
    media.port = *number;
    media.direction = defaults_.direction.value_or(Direction::kSendRecv);
    session_.media.push_back(std::move(media));
    return nullptr;
  }

  Why read_bandwidth(std::string_view value) {
    MediaDescription& media = session_.media.back();
    const std::string_view type = take_until(value, ':');
    const auto number = parse_number<uint64_t>(value);
    if (type != "TIAS" && type != "AS") return nullptr;
    if (!number) return "malformed bandwidth";
    (type == "TIAS" ? media.bandwidth_tias_bps : media.bandwidth_as_kbps) = *number;
    return nullptr;
  }

  Why read_attribute(std::string_view value) {
    const std::string_view name = take_until(value, ':');
    if (!session_.media.empty()) return read_media_attribute(session_.media.back(), name, value);
    if (const Why why = read_session_attribute(session_, name, value)) return why;
    return read_session_default(defaults_, name, value);
  }

  // RFC 8839 4.4, RFC 8122 5, RFC 8285 6: at session level they hold for each m-line that says nothing itself.
  void give_session_values_to_media() {
    const Transport& common = session_.transport;
    for (MediaDescription& media : session_.media) {
      Transport& own = media.transport;
      // A ufrag of one level and a password of the other do not belong together.
      if (own.ice_ufrag.empty() && own.ice_pwd.empty()) {
        own.ice_ufrag = common.ice_ufrag;
        own.ice_pwd = common.ice_pwd;
      }
      if (own.ice_options.empty()) own.ice_options = common.ice_options;
      if (own.fingerprints.empty()) own.fingerprints = common.fingerprints;
      if (own.setup.empty()) own.setup = common.setup;
      if (session_.allows_mixed_extmap) media.allows_mixed_extmap = true;
      if (media.extmaps.empty()) media.extmaps = defaults_.extmaps;
    }
  }

  Description session_;
  SessionDefaults defaults_;
  Lines lines_;
  bool is_started_ = false;
};

}  // namespace

Result<Description> parse(std::string_view text) {
  return Parser().run(text);
}

}  // namespace atm::sdp

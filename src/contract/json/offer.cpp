#include "contract/json/offer.h"

#include <nlohmann/json.hpp>

#include "contract/json/choice.h"
#include "contract/json/limits.h"

namespace atm::json {
namespace {

using contract::ContentHint;
constexpr Choice<ContentHint> kContentHints[] = {
    {"none", ContentHint::kNone},
    {"motion", ContentHint::kMotion},
    {"detail", ContentHint::kDetail},
    {"", ContentHint::kNone},  // W3C mst-content-hint 3: a track's own hint is "" when none was given
};

}  // namespace

std::string read_sdp(const Fields& fields) {
  if (fields.has("compressed_sdp")) {
    fields.problem("compressed_sdp", "is for gateways of the first generation; send sdp", ErrorCode::kNotSupported);
  }
  std::string sdp = fields.text("sdp", kMaxDocumentBytes, Text::kFree);
  if (sdp.empty()) fields.problem("sdp", "must not be empty");
  return sdp;
}

MediaKind read_kind(const Fields& fields) {
  const std::string text = fields.text("kind", kMaxNameBytes, Text::kName);
  const std::optional<MediaKind> kind = parse_media_kind(text);
  if (!kind) fields.problem("kind", "must be audio or video");
  return kind.value_or(MediaKind::kAudio);
}

std::vector<contract::SenderInfo> read_senders(const Fields& fields) {
  std::vector<contract::SenderInfo> out;
  for (const Fields& item : fields.objects("senders", kMaxSenders)) {
    contract::SenderInfo sender;
    sender.kind = read_kind(item);
    sender.name = item.text("name", kMaxNameBytes, Text::kName);
    sender.uuid = item.text("uuid", kMaxNameBytes, Text::kName);
    sender.label = item.optional_text("label", kMaxNameBytes, Text::kFree).value_or("");
    sender.screen = item.flag("screen", false);
    sender.simulcast = item.flag("simulcast", false);
    sender.max_bitrate_bps = item.number("max_bitrate", 0, kMaxBitrateBps);
    sender.content_hint = read_choice(item, "content_hint", kContentHints, ContentHint::kNone);
    out.push_back(std::move(sender));
  }
  return out;
}

contract::ReceiverCounts read_receivers(const Fields& fields) {
  contract::ReceiverCounts out;
  if (const std::optional<Fields> item = fields.optional_object("receivers")) {
    const auto count = [&](std::string_view kind) {
      return static_cast<uint32_t>(item->number(kind, 0, kMaxReceiversPerKind, ErrorCode::kTooMany));
    };
    out.audio = count("audio");
    out.video = count("video");
  }
  return out;
}

void write_senders(const std::vector<contract::SenderInfo>& senders, nlohmann::ordered_json& out) {
  out = nlohmann::ordered_json::array();
  for (const contract::SenderInfo& sender : senders) {
    nlohmann::ordered_json item;
    item["uuid"] = sender.uuid;
    item["label"] = sender.label;
    item["kind"] = to_text(sender.kind);
    if (sender.screen) item["screen"] = true;
    item["name"] = sender.name;
    if (sender.simulcast) item["simulcast"] = true;
    if (sender.max_bitrate_bps != 0) item["max_bitrate"] = sender.max_bitrate_bps;
    if (sender.content_hint != ContentHint::kNone)
      item["content_hint"] = choice_text(kContentHints, sender.content_hint);
    out.push_back(std::move(item));
  }
}

void write_receivers(const contract::ReceiverCounts& receivers, nlohmann::ordered_json& out) {
  out["audio"] = receivers.audio;
  out["video"] = receivers.video;
}

}  // namespace atm::json

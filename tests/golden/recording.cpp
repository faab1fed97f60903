#include "recording.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace atm::golden {
namespace {

using nlohmann::json;

RecordedOffer read_offer(const std::string& request, const json& data) {
  RecordedOffer out{request, data.at("sdp"), false, 0, 0, {}};
  if (data.contains("receivers")) {
    out.has_receivers = true;
    out.audio_receivers = data["receivers"].value("audio", 0u);
    out.video_receivers = data["receivers"].value("video", 0u);
  }
  for (const json& sender : data.value("senders", json::array()))
    out.senders.push_back({sender.at("uuid"), sender.at("kind")});
  return out;
}

Recording read_recording(const std::filesystem::path& path) {
  const json file = json::parse(std::ifstream(path));
  Recording out{path.stem(), {}, {}};
  for (const json& request : file.at("requests")) {
    if (!request.contains("body") || !request["body"].contains("sdp")) continue;
    out.offers.push_back(read_offer(request.at("path"), request["body"]));
    for (const std::string name : request["body"].value("codecs", json::array()))
      out.codecs.push_back(parse_codec(name).value());
  }
  for (const json& frame : file.value("rpc", json::array())) {
    const json& message = frame.at("message");
    const json data = message.value("data", json());
    if (data.is_object() && data.contains("sdp")) out.offers.push_back(read_offer(message.at("request"), data));
  }
  return out;
}

}  // namespace

std::vector<Recording> read_recordings() {
  std::vector<Recording> out;
  for (const auto& entry : std::filesystem::directory_iterator(ATM0S_GOLDEN_DIR "/js-sdk")) {
    if (entry.path().extension() == ".json") out.push_back(read_recording(entry.path()));
  }
  std::sort(out.begin(), out.end(), [](const Recording& a, const Recording& b) { return a.name < b.name; });
  return out;
}

}  // namespace atm::golden

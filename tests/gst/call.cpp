#include "call.h"

namespace atm0s::test {

namespace {

SessionConfig publishing(const std::string& room, const std::vector<std::pair<std::string, gst::Source>>& sources) {
  SessionConfig config = config_of(room, "ann");
  for (const auto& [name, source] : sources) config.senders.push_back(source.sender(name));
  return config;
}

SessionConfig viewing(const std::string& room, const std::string& peer) {
  SessionConfig config = config_of(room, peer);
  config.receivers = {1, 1};
  return config;
}

}  // namespace

Publishing::Publishing(const std::string& room, const std::vector<std::pair<std::string, gst::Source>>& sources)
    : sources_(sources), session_({url()}, publishing(room, sources)) {
  EXPECT_OK(session_.connect());
  for (const auto& [name, source] : sources) {
    auto one = source;
    EXPECT_OK(one.start());
  }
}

Viewing::Viewing(const std::string& room, const std::string& peer) : session_({url()}, viewing(room, peer)) {
  EXPECT_OK(session_.connect());
}

Receiver Viewing::view(const std::string& stream, MediaKind kind) {
  EXPECT_TRUE(until([&] { return session_.remote_stream({"ann", stream}).has_value(); })) << stream;
  Receiver out = session_.take_receiver(kind);
  EXPECT_OK(out.switch_to({"ann", stream}).wait());
  return out;
}

gst::Source made(Result<gst::Source> source) {
  if (source) return *source;
  ADD_FAILURE() << to_text(source.error().code) << ": " << source.error().message;
  return gst::Source(nullptr);
}

double measure_bitrate(Receiver receiver, std::chrono::milliseconds time) {
  size_t bytes = 0;
  const auto began = Clock::now();
  while (Clock::now() < began + time) {
    if (const auto frame = receiver.read_video(200ms)) bytes += frame->bytes.size();
  }
  return 8.0 * static_cast<double>(bytes) / std::chrono::duration<double>(Clock::now() - began).count();
}

int width_of(const VideoFrame& frame) {
  if (!frame.is_key || frame.bytes.size() < 10) return 0;
  return (frame.bytes[6] | frame.bytes[7] << 8) & 0x3fff;
}

}  // namespace atm0s::test

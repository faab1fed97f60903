#include "load.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "contract/json/http_body.h"
#include "control/token/claims.h"
#include "core/srtp/send_context.h"
#include "receive_filter.h"

namespace atm::bench {
namespace {

constexpr const char* kRoom = "bench";
constexpr const char* kPublisher = "publisher";
// In front of the payload in a forwarded datagram: RTP header, and extensions with the transport-wide number.
constexpr size_t kHeaders = 12 + 8;

}  // namespace

Load::Load(soak::ServerProcess& server, std::string secret, size_t subscribers)
    : server_(server),
      secret_(std::move(secret)),
      subscriber_count_(subscribers),
      dtls_(dtls::Certificate::make(io::read_clocks(), rng_)) {}

bool Load::add(const std::string& name, bool publishes) {
  const Now now = io::read_clocks();
  auto bound = io::UdpSocket::bind({IpAddress::v4(127, 0, 0, 1), 0});
  if (!bound) return false;
  Member member;
  member.socket = std::move(*bound);
  if (!publishes) take_single_datagrams(member.socket->fd());
  const SocketAddress address{IpAddress::v4(127, 0, 0, 1), member.socket->port()};
  member.client = std::make_unique<Client>(kRoom, name, publishes, address, dtls_, rng_);
  token::Claims claims;
  claims.room = kRoom;
  claims.peer = name;
  const std::string body = json::to_json(member.client->connect_request(), token::issue(claims, secret_));
  const auto answer = nlohmann::json::parse(server_.request("POST", "/webrtc/connect", body), nullptr, false);
  if (!answer.is_object() || !answer.value("status", false)) {
    std::fprintf(stderr, "bench: refused: %s\n", answer.dump().c_str());
    return false;
  }
  out_.clear();
  const bool is_accepted = member.client->accept(now, answer["data"]["sdp"], out_);
  member.socket->send(out_);
  members_.push_back(std::move(member));
  return is_accepted;
}

bool Load::join(bool drops_media) {
  drops_media_ = drops_media;
  for (size_t i = 0; i <= subscriber_count_; ++i) {
    if (!add(i == 0 ? kPublisher : "subscriber-" + std::to_string(i), i == 0)) return false;
    pump();
  }
  const Instant last = io::read_clocks().mono + kPatience;
  const auto is_ready = [](const Member& member) { return member.client->is_ready(); };
  while (!std::all_of(members_.begin(), members_.end(), is_ready)) {
    if (io::read_clocks().mono > last) return false;
    idle(kLook);
  }
  for (size_t i = 1; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (drops_media) bench::drop_media(member.socket->fd());
    out_.clear();
    member.client->view(io::read_clocks(), kPublisher, out_);
    member.socket->send(out_);
  }
  return true;
}

void Load::pump() {
  for (Member& member : members_) {
    while (true) {
      const Now now = io::read_clocks();
      const Duration offset = now.mono.time_since_epoch() - now.wall.time_since_epoch();
      const auto datagrams = member.socket->receive(now.mono, offset);
      if (datagrams.empty()) break;
      for (const Datagram& datagram : datagrams) member.client->on_datagram(now, datagram, out_);
    }
    const Now now = io::read_clocks();
    if (member.client->next_timeout() <= now.mono) member.client->on_timeout(now, out_);
    if (out_.empty()) continue;
    member.socket->send(out_);
    out_.clear();
  }
}

void Load::pump_until(Instant end) {
  Instant look = io::read_clocks().mono;
  while (true) {
    const Instant now = io::read_clocks().mono;
    if (now >= look) {
      pump();
      look = now + kLook;
    }
    if (now >= end) return;
    std::this_thread::sleep_for(std::min(look, end) - io::read_clocks().mono);
  }
}

void Load::send_group(const Pattern& pattern) {
  const Now now = io::read_clocks();
  Client& publisher = *members_.front().client;
  const bool is_video = pattern.kind == MediaKind::kVideo;
  const size_t size = pattern.datagram_bytes - kHeaders - srtp::kRtpOverhead;
  for (size_t i = 0; i < pattern.packets_per_group && tag_.packet < tag_.packets; ++i) {
    const auto picture_id = static_cast<uint16_t>(tag_.frame & 0x7FFF);
    const Bytes payload =
        sim::make_video_payload(tag_, size, is_video ? std::optional<uint16_t>(picture_id) : std::nullopt);
    const bool is_last = ++tag_.packet == tag_.packets;
    publisher.publish(now, pattern.kind, is_video ? video_timestamp_ : audio_timestamp_, is_video && is_last, payload,
                      out_);
    ++published_;
  }
  members_.front().socket->send(out_);
  out_.clear();
}

void Load::run(const Pattern& pattern, Duration length) {
  constexpr int64_t kVideoClock = 90, kAudioClock = 48;  // ticks a millisecond
  const Instant end = io::read_clocks().mono + length;
  Instant frame_at = io::read_clocks().mono;
  for (; frame_at < end; frame_at += pattern.frame_interval) {
    pump_until(frame_at);
    Client& publisher = *members_.front().client;
    tag_ = {1, tag_.frame + 1, 0, static_cast<uint8_t>(pattern.packets_per_frame),
            pattern.kind == MediaKind::kVideo && publisher.take_key_frame_wanted()};
    video_timestamp_ += static_cast<uint32_t>(pattern.frame_interval.count() * kVideoClock / 1'000);
    audio_timestamp_ += static_cast<uint32_t>(pattern.frame_interval.count() * kAudioClock / 1'000);
    Instant group_at = frame_at;
    while (tag_.packet < tag_.packets) {
      pump_until(group_at);
      send_group(pattern);
      group_at += pattern.spacing;
    }
  }
  pump_until(frame_at);
}

void Load::drain() {
  constexpr Duration kQuiet = 50ms;
  const Instant last = io::read_clocks().mono + kPatience;
  for (uint64_t before = UINT64_MAX; before != received() && io::read_clocks().mono < last;) {
    before = received();
    idle(kQuiet);
  }
}

bool Load::settle(const Pattern& pattern, Duration step) {
  const Instant last = io::read_clocks().mono + kPatience;
  int whole = 0;
  while (whole < 2) {
    if (io::read_clocks().mono > last) return false;
    const uint64_t published = published_, received = this->received();
    run(pattern, step);
    const uint64_t wanted = (published_ - published) * subscriber_count_;
    const uint64_t came = this->received() - received;
    // A pacer may still hold the end of a step; more than was published had been held back before.
    whole = came >= wanted * 98 / 100 && came <= wanted * 102 / 100 ? whole + 1 : 0;
  }
  return true;
}

uint64_t Load::received() const {
  uint64_t sum = 0;
  for (size_t i = 1; i < members_.size(); ++i) {
    const Member& member = members_[i];
    sum += member.client->reception(MediaKind::kAudio).packets + member.client->reception(MediaKind::kVideo).packets;
    if (drops_media_) sum += dropped(member.socket->fd());
  }
  return sum;
}

uint64_t Load::missing() const {
  uint64_t sum = 0;
  for (const Member& member : members_) {
    sum += member.client->reception(MediaKind::kAudio).missing + member.client->reception(MediaKind::kVideo).missing;
  }
  return sum;
}

uint64_t Load::wrong() const {
  uint64_t sum = 0;
  for (const Member& member : members_) {
    sum += member.client->reception(MediaKind::kAudio).wrong + member.client->reception(MediaKind::kVideo).wrong;
  }
  return sum;
}

}  // namespace atm::bench

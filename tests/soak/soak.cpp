// The real server under people who come and go: a room of residents who publish and view all the time, and each second
// one who joins, views, and leaves again: by the book, by closing its transport, or by vanishing. At its end the
// residents have seen nearly every frame, everybody got in, and the server's memory and descriptors are where they
// were.
//
//   soak SERVER SECONDS [--sanitized]     --sanitized: memory is the sanitizer's, so its slope is only printed
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client.h"
#include "contract/json/http_body.h"
#include "control/token/claims.h"
#include "io/runtime/clock.h"
#include "io/udp/socket.h"
#include "server_process.h"

namespace {

using namespace atm;
using namespace atm::soak;

const std::string kSecret = "a secret of the soak, longer than 32 bytes";
constexpr size_t kResidents = 6;
constexpr Duration kStay = 5s;
constexpr Duration kPatience = 10s;  // to connect and to see a picture; a sanitized server is slow
constexpr Duration kSampleEvery = 1s;
constexpr Duration kGoneAfter = 45s;  // the server's 30 s, and some
constexpr double kMaxSlopeKbPerMinute = 1'024;
constexpr size_t kMinSamples = 60;  // fewer say nothing about a slope

enum class Leave : uint8_t { kRequest, kClose, kVanish };

struct Participant {
  std::unique_ptr<io::UdpSocket> socket;
  std::unique_ptr<sim::Client> client;
  std::string views;  // whom
  Instant joined{};
  bool asked = false;
  bool saw = false;
  Leave how = Leave::kRequest;
};

struct Sample {
  double minutes;
  double kilobytes;
};

// Least squares.
double slope_of(const std::vector<Sample>& samples) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [minutes, kilobytes] : samples) {
    n += 1;
    x += minutes;
    y += kilobytes;
    xx += minutes * minutes;
    xy += minutes * kilobytes;
  }
  const double spread = n * xx - x * x;
  return spread == 0 ? 0 : (n * xy - x * y) / spread;
}

class Soak {
 public:
  explicit Soak(ServerProcess& server) : server_(server) {}

  void run(Duration length) {
    for (size_t i = 0; i < kResidents; ++i) {
      join(residents_, "resident-" + std::to_string(i), "resident-" + std::to_string((i + 1) % kResidents));
    }
    pump_for(kPatience);
    descriptors_before_ = server_.descriptors();
    const Instant begin = io::read_clocks().mono;
    const double cpu_before = server_.cpu_seconds();
    // Memory is looked at once pools and tables have grown to the load: those who vanished are kept for a while.
    const Instant warm = begin + std::max(length / 4, kGoneAfter);
    Instant next_join = begin, next_sample = begin;
    while (io::read_clocks().mono < begin + length) {
      const Instant now = io::read_clocks().mono;
      if (now >= next_join) {
        next_join += 1s;
        const size_t resident = joined_ % kResidents;
        join(visitors_, "visitor-" + std::to_string(joined_), "resident-" + std::to_string(resident));
        visitors_.back()->how = static_cast<Leave>(joined_ % 3);
      }
      if (now >= next_sample) {
        next_sample += kSampleEvery;
        if (now >= warm) {
          samples_.push_back(
              {static_cast<double>(to_us(now - begin)) / 60e6, static_cast<double>(server_.resident_bytes()) / 1'024});
        }
      }
      leave();
      pump();
    }
    cpu_share_ = (server_.cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(to_us(length));
    for (const auto& visitor : visitors_) visitor->client->set_silent(true);
    const Instant last = io::read_clocks().mono + kGoneAfter;
    while (io::read_clocks().mono < last && server_.metric("atm0s_sessions") > kResidents) pump_for(500ms);
    sessions_left_ = server_.metric("atm0s_sessions");
    // The connection of the last question may be open for a moment.
    const Instant closed = io::read_clocks().mono + kPatience;
    do {
      pump_for(50ms);
      descriptors_after_ = server_.descriptors();
    } while (descriptors_after_ > descriptors_before_ && io::read_clocks().mono < closed);
  }

  // True when all is well; prints the figures.
  bool judge(bool is_sanitized) {
    uint64_t sent = 0, shown = 0, contradictions = 0;
    bool all_connected = true;
    for (const auto& resident : residents_) {
      sent += resident->client->video_frames_sent();
      shown += resident->client->video(0).decodable_frames();
      contradictions += resident->client->video(0).contradictions();
      all_connected &= resident->client->peer().is_connected();
    }
    const double share = sent == 0 ? 0 : static_cast<double>(shown) / static_cast<double>(sent);
    const double slope = slope_of(samples_);
    std::printf("joined %zu, saw a picture %zu, late %zu, refused %zu\n", joined_ - kResidents, saw_, late_, refused_);
    std::printf("residents: %zu, all connected: %s, %.2f %% of %lu frames decodable, %lu contradictions\n", kResidents,
                all_connected ? "yes" : "no", share * 100, static_cast<unsigned long>(sent),
                static_cast<unsigned long>(contradictions));
    std::printf(
        "memory: %.1f MB, %+.0f kB a minute; descriptors: %zu before, %zu after; sessions left: %.0f; CPU %.0f %%\n",
        static_cast<double>(server_.resident_bytes()) / 1e6, slope, descriptors_before_, descriptors_after_,
        sessions_left_, cpu_share_ * 100);
    bool good = true;
    const auto expect = [&](bool holds, const char* what) {
      if (!holds) std::printf("FAILED: %s\n", what);
      good &= holds;
    };
    expect(refused_ == 0 && late_ == 0 && joined_ > kResidents && saw_ > 0, "everybody who joins sees a picture");
    expect(all_connected, "residents stay connected");
    expect(share > (is_sanitized ? 0.8 : 0.97), "residents see the frames");
    expect(contradictions == 0, "no number is used twice");
    expect(is_sanitized || samples_.size() < kMinSamples || slope < kMaxSlopeKbPerMinute, "memory does not grow");
    expect(descriptors_after_ <= descriptors_before_, "descriptors are given back");
    expect(sessions_left_ == static_cast<double>(kResidents), "sessions end with their participants");
    return good;
  }

 private:
  using List = std::vector<std::unique_ptr<Participant>>;

  void join(List& list, const std::string& name, const std::string& views) {
    const Now now = io::read_clocks();
    auto bound = io::UdpSocket::bind({IpAddress::v4(127, 0, 0, 1), 0});
    if (!bound) return void(++refused_);
    auto participant = std::make_unique<Participant>();
    participant->socket = std::move(*bound);
    sim::ClientConfig config;
    config.room = "soak";
    config.peer = name;
    const SocketAddress address{IpAddress::v4(127, 0, 0, 1), participant->socket->port()};
    participant->client = std::make_unique<sim::Client>(++joined_, config, address, now, rng_);
    participant->views = views;
    participant->joined = now.mono;
    token::Claims claims;
    claims.room = config.room;
    claims.peer = name;
    const std::string body = json::to_json(participant->client->connect_request(), token::issue(claims, kSecret));
    const auto answer = nlohmann::json::parse(server_.request("POST", "/webrtc/connect", body), nullptr, false);
    if (!answer.is_object() || !answer.value("status", false)) {
      std::printf("refused: %s\n", answer.dump().c_str());
      return void(++refused_);
    }
    participant->client->set_conn_id(answer["data"]["conn_id"]);
    out_.clear();
    refused_ += !participant->client->accept(now, answer["data"]["sdp"], out_);
    participant->socket->send(out_);
    list.push_back(std::move(participant));
  }

  void leave() {
    const Now now = io::read_clocks();
    std::erase_if(visitors_, [&](const auto& visitor) {
      const Duration age = std::chrono::duration_cast<Duration>(now.mono - visitor->joined);
      if (!visitor->saw && age < kPatience) return false;
      if (age < kStay) return false;
      ++(visitor->saw ? saw_ : late_);
      out_.clear();
      sim::Client& client = *visitor->client;
      if (visitor->how == Leave::kRequest && client.is_ready()) {
        client.request(now, contract::PeerClose{}, out_);
      } else if (visitor->how == Leave::kClose) {
        std::vector<peer::ReceivedPacket> packets;
        std::vector<peer::Event> events;
        peer::Output output{out_, packets, events};
        client.peer().close(now, output);
      }
      visitor->socket->send(out_);
      return true;
    });
  }

  void pump_for(Duration length) {
    const Instant end = io::read_clocks().mono + length;
    while (io::read_clocks().mono < end) pump();
  }

  // One round of all sockets and timers; waits for at most 5 ms.
  void pump() {
    std::vector<Participant*> all;
    for (const List* list : {&residents_, &visitors_}) {
      for (const auto& participant : *list) all.push_back(participant.get());
    }
    std::vector<pollfd> polled;
    for (const Participant* participant : all) polled.push_back({participant->socket->fd(), POLLIN, 0});
    poll(polled.data(), polled.size(), 5);
    const Now now = io::read_clocks();
    const Duration offset =
        std::chrono::duration_cast<Duration>(now.mono.time_since_epoch() - now.wall.time_since_epoch());
    for (size_t i = 0; i < all.size(); ++i) {
      out_.clear();
      sim::Client& client = *all[i]->client;
      if (polled[i].revents != 0) {
        for (const Datagram& datagram : all[i]->socket->receive(now.mono, offset))
          client.on_datagram(now, datagram, out_);
      }
      if (client.next_timeout() <= now.mono) client.on_timeout(now, out_);
      if (client.is_ready() && !all[i]->asked && client.streams().contains(all[i]->views + "/video_main")) {
        all[i]->asked = true;
        client.view(now, "video_0", all[i]->views, "video_main", out_);
      }
      all[i]->saw |= client.video(0).decodable_frames() > 0;
      all[i]->socket->send(out_);
    }
  }

  ServerProcess& server_;
  io::SystemRng rng_;
  SendBatch out_;
  List residents_, visitors_;
  size_t joined_ = 0, saw_ = 0, late_ = 0, refused_ = 0;
  std::vector<Sample> samples_;
  size_t descriptors_before_ = 0, descriptors_after_ = 0;
  double sessions_left_ = 0, cpu_share_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: soak SERVER SECONDS [--sanitized]\n");
    return 2;
  }
  ServerProcess server(arguments[1], kSecret, {"--workers", "2", "--room-slice-size", "4"});
  Soak soak(server);
  soak.run(std::chrono::seconds(std::atoi(arguments[2])));
  const bool is_good = soak.judge(count > 3);
  const int code = server.stop();
  if (code != 0) std::printf("FAILED: the server exited with %d\n", code);
  return is_good && code == 0 ? 0 : 1;
}

// One publisher and its subscribers in one room of the real server, over loopback: joins them, lets the publisher send
// in a pattern, and takes what comes. One thread, one core. It looks at the sockets every kLook instead of waiting for
// them, so that no send of the server has to wake anybody: times of arrival are the kernel's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client.h"
#include "core/dtls/context.h"
#include "io/runtime/clock.h"
#include "io/udp/socket.h"
#include "server_process.h"

namespace atm::bench {

// What the publisher sends. A frame goes out in groups of packets, `spacing` apart, each group in one send.
struct Pattern {
  std::string name;
  MediaKind kind = MediaKind::kVideo;
  size_t datagram_bytes = 1'200;  // as a subscriber gets it
  size_t packets_per_frame = 6;
  Duration frame_interval = 33'333us;
  size_t packets_per_group = 6;
  Duration spacing{};

  double packets_per_second() const {
    return static_cast<double>(packets_per_frame) * 1e6 / static_cast<double>(frame_interval.count());
  }
};

class Load {
 public:
  static constexpr Duration kLook = 5ms;
  static constexpr Duration kPatience = 15s;

  Load(soak::ServerProcess& server, std::string secret, size_t subscribers);

  // Everybody joins and views. `drops_media`: the subscribers' sockets drop media, so they give no feedback.
  bool join(bool drops_media);
  // The publisher sends for so long.
  void run(const Pattern& pattern, Duration length);
  // Nothing is published; connections are kept.
  void idle(Duration length) { pump_until(io::read_clocks().mono + length); }
  // Idles until nothing comes to the subscribers any more: what pacers and sockets held. Not longer than kPatience.
  void drain();
  // Runs the pattern until all of two `steps` in a row has come to the subscribers. False: not within kPatience.
  bool settle(const Pattern& pattern, Duration step);

  uint64_t published() const { return published_; }
  // Media that came to the subscribers' sockets, all together.
  uint64_t received() const;
  // Of what was decrypted.
  uint64_t missing() const;
  uint64_t wrong() const;
  size_t subscriber_count() const { return subscriber_count_; }

 private:
  struct Member {
    std::unique_ptr<io::UdpSocket> socket;
    std::unique_ptr<Client> client;
    bool has_viewed = false;
  };
  bool add(const std::string& name, bool publishes);
  void pump_until(Instant end);
  void pump();
  void send_group(const Pattern& pattern);

  soak::ServerProcess& server_;
  std::string secret_;
  size_t subscriber_count_;
  bool drops_media_ = false;
  io::SystemRng rng_;
  dtls::Context dtls_;
  std::vector<Member> members_;  // the publisher is the first
  SendBatch out_;
  uint64_t published_ = 0;
  // of the publisher
  sim::PictureTag tag_;
  uint32_t audio_timestamp_ = 0, video_timestamp_ = 0;
};

}  // namespace atm::bench

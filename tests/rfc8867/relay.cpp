// rfc8867_relay FOLDER CASE [SEED] | --cases: the path of a case in real time, between real peers on this machine. Each
// media flow has two UDP sockets, one that its sender talks to and one for its receiver; what comes to one leaves by
// the other, to whoever spoke there last. Leaves in FOLDER what the simulation leaves, as CASE.reference.*. For
// reference/run.mjs:
//   out  one line of JSON: the case, its flows and their ports
//   in   "start": until then datagrams pass at once      "target FLOW BPS": what the sender estimates, for the plot
//   out  "done" when the case's time is up
//   in   "freeze SECONDS": a flow's longest               end of input: files are written
// Says at the end how late it was: on a busy machine the figures are those of the machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "path.h"
#include "report.h"
#include "video.h"

namespace atm::rfc8867 {
namespace {

constexpr size_t kLargest = 2'048;  // bytes of a datagram
constexpr int kSocketBuffer = 1 << 20;
constexpr Duration kIdle = 100ms;

Instant clock_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Instant(Duration(int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1'000));
}

double seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e6;
}

struct Side {
  int fd = -1;
  uint16_t port = 0;
  sockaddr_in peer{};  // the last that spoke

  bool open() {
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
    if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&own), size) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
      return false;
    }
    port = ntohs(own.sin_port);
    return true;
  }

  void send(const Bytes& bytes) const {
    if (peer.sin_port == 0) return;
    sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
  }
};

class Relay {
 public:
  Relay(const Scenario& scenario, uint64_t seed) : scenario_(scenario), seed_(seed), meter_(scenario) {}

  bool open() {
    sides_.resize(scenario_.media.size() * 2);
    polled_.push_back({STDIN_FILENO, POLLIN, 0});
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    for (Side& side : sides_) {
      if (!side.open()) return false;
      polled_.push_back({side.fd, POLLIN, 0});
    }
    return true;
  }

  std::string introduce() const {
    nlohmann::json flows = nlohmann::json::array();
    for (size_t i = 0; i < scenario_.media.size(); ++i) {
      const MediaConfig& m = scenario_.media[i];
      nlohmann::json flow = {{"start", seconds(m.start)},
                             {"delay", seconds(m.delay)},
                             {"senderPort", sides_[2 * i].port},
                             {"receiverPort", sides_[2 * i + 1].port}};
      if (m.pause != Duration::max()) flow["pause"] = seconds(m.pause);
      if (m.resume != Duration::max()) flow["resume"] = seconds(m.resume);
      flows.push_back(std::move(flow));
    }
    return nlohmann::json{{"id", scenario_.id},
                          {"seconds", seconds(scenario_.length)},
                          {"mostBps", Camera::kMostBps},
                          {"flows", std::move(flows)}}
        .dump();
  }

  // False: the input ended before the time was up.
  bool play() {
    while (!path_ || clock_now() < origin_ + scenario_.length) {
      wait();
      take_datagrams();
      take_commands();
      if (has_ended_) return false;
      if (path_) step();
    }
    return true;
  }

  Figures close() {
    std::printf("done\n");
    std::fflush(stdout);
    while (!has_ended_) {
      poll(polled_.data(), 1, -1);
      take_commands();
    }
    return meter_.close();
  }

  std::string csv() const { return meter_.csv_header() + meter_.csv(); }

  std::string lateness() {
    std::sort(late_.begin(), late_.end());
    const auto at = [&](double share) {
      return late_.empty() ? 0
                           : seconds(late_[static_cast<size_t>(static_cast<double>(late_.size() - 1) * share)]) * 1e3;
    };
    char text[120];
    std::snprintf(text, sizeof text, "relay late by p50 %.2f, p99 %.2f, most %.1f ms", at(0.5), at(0.99), at(1));
    return text;
  }

 private:
  void wait() {
    const Instant now = clock_now();
    const Instant due = path_ ? std::min(path_->next_event(), next_tick_) : now + kIdle;
    const Duration left = std::clamp(due - now, Duration(0), kIdle);
    const timespec timeout{0, left.count() * 1'000};
    ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
    if (path_ && due <= clock_now()) late_.push_back(clock_now() - due);
  }

  void take_datagrams() {
    for (size_t i = 0; i < sides_.size(); ++i) {
      if ((polled_[i + 1].revents & POLLIN) == 0) continue;
      Bytes bytes(kLargest, uint8_t{0});
      sockaddr_in from{};
      socklen_t size = sizeof from;
      ssize_t got = 0;
      while ((got = recvfrom(sides_[i].fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size)) >
             0) {
        sides_[i].peer = from;
        const Bytes datagram(bytes.begin(), bytes.begin() + got);
        if (path_)
          path_->put(clock_now(), i / 2, i % 2 == 0, datagram);
        else
          sides_[i ^ 1].send(datagram);
      }
    }
  }

  void take_commands() {
    char text[1'024];
    ssize_t got = 0;
    while ((got = read(STDIN_FILENO, text, sizeof text)) > 0) input_.append(text, static_cast<size_t>(got));
    has_ended_ = got == 0;
    for (size_t end = 0; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
      std::istringstream line(input_.substr(0, end));
      std::string word;
      size_t flow = 0;
      double value = 0;
      line >> word;
      if (word == "start" && !path_) begin();
      if (word == "target" && line >> flow >> value && flow < scenario_.media.size()) {
        meter_.set_target(flow, static_cast<uint64_t>(value));
      }
      if (word == "freeze" && line >> value) meter_.on_freeze(Duration(static_cast<int64_t>(value * 1e6)));
    }
  }

  void begin() {
    origin_ = clock_now();
    next_tick_ = origin_ + Meter::kTick;
    path_.emplace(scenario_, origin_, seed_, meter_);
  }

  void step() {
    const Instant now = clock_now();
    for (const bool is_forward : {true, false}) {
      arrived_.clear();
      path_->carry(now, is_forward, arrived_);
      for (const Packet& packet : arrived_) {
        sides_[2 * packet.flow + (Path::came_from_sender(packet) ? 1 : 0)].send(packet.bytes);
      }
    }
    path_->on_timeout(now);
    for (; next_tick_ <= now; next_tick_ += Meter::kTick) {
      path_->tell_active_tcp();
      meter_.tick(next_tick_ - origin_);
    }
  }

  const Scenario& scenario_;
  uint64_t seed_;
  std::vector<Side> sides_;  // of each flow its sender's, its receiver's
  std::vector<pollfd> polled_;
  std::vector<Packet> arrived_;
  std::vector<Duration> late_;
  std::string input_;
  bool has_ended_ = false;
  Meter meter_;
  std::optional<Path> path_;  // once started
  Instant origin_{};
  Instant next_tick_{};
};

int run(const std::string& folder, const std::string& id, uint64_t seed) {
  const std::vector<Scenario> all = scenarios();
  const auto scenario = std::find_if(all.begin(), all.end(), [&](const Scenario& s) { return s.id == id; });
  if (scenario == all.end()) {
    std::fprintf(stderr, "rfc8867_relay: there is no case %s\n", id.c_str());
    return 2;
  }
  prctl(PR_SET_TIMERSLACK, 1);
  Relay relay(*scenario, seed);
  if (!relay.open()) {
    std::perror("rfc8867_relay");
    return 1;
  }
  std::printf("%s\n", relay.introduce().c_str());
  std::fflush(stdout);
  if (!relay.play()) return 1;
  const Figures figures = relay.close();
  const std::string name = id + ".reference";
  if (!write_file(folder + "/" + name + ".csv", relay.csv()) ||
      !write_file(folder + "/" + name + ".gp", plot_script(folder, name, *scenario)) ||
      !write_file(folder + "/" + name + ".txt", figures.text() + "\n")) {
    std::fprintf(stderr, "rfc8867_relay: cannot write into %s\n", folder.c_str());
    return 1;
  }
  std::printf("%s; %s\n", figures.text().c_str(), relay.lateness().c_str());
  return 0;
}

}  // namespace
}  // namespace atm::rfc8867

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--cases") {
    for (const atm::rfc8867::Scenario& scenario : atm::rfc8867::scenarios()) std::puts(scenario.id.c_str());
    return 0;
  }
  if (argc < 3) {
    std::fprintf(stderr, "usage: rfc8867_relay FOLDER CASE [SEED] | --cases\n");
    return 2;
  }
  return atm::rfc8867::run(argv[1], argv[2], argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
}

// What mix-minus costs for each audio packet that comes: instructions, counted by callgrind, against the number of
// sources in a room, with a fixed number of listeners that hear all. Started without arguments of its own it runs
// itself under valgrind once for each figure, prints a table, and writes build/bench/mix_minus.json and mix_minus.svg.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/peer/call_test.h"
#include "media/room/output_test.h"
#include "media/room/room.h"

namespace atm::room {
namespace {

using mixminus::kSilence;
using negotiation::Direction;
using peer::Call;

constexpr size_t kListeners = 10;
constexpr size_t kSourceCounts[] = {10, 20, 50, 100, 200, 500};
constexpr Duration kFrame = 20ms;
constexpr int kWarmUpFrames = 250, kFrames = 500;

// In a conversation three of five take turns and the others are silent; or everybody talks at once.
enum class Load : uint8_t { kConversation, kEverybody };

// A room of `sources` publishers, of whom the first kListeners have a mixer of three bound slots.
class Hall {
 public:
  Hall(size_t sources, Load load) : load_(load) {
    if (!call_.connect({Call::line(MediaKind::kAudio, Direction::kSendOnly, "a", 1'000),
                        Call::line(MediaKind::kAudio, Direction::kRecvOnly, "b")})) {
      std::abort();
    }
    for (size_t i = 0; i < sources; ++i) publish(i);
    for (size_t i = 0; i < kListeners; ++i) listen(i);
  }

  // Every source's next packet, evenly spread over 20 ms. packet(…) is called with each.
  template <typename Packet>
  void frame(Packet packet) {
    ++frame_;
    for (size_t i = 0; i < sources_.size(); ++i) {
      world_.now.mono += kFrame / sources_.size();
      write(i);
      packet(i);
      written_.events.clear();
      written_.touched.clear();
    }
    if (written_.rooms_due <= world_.now.mono) {
      written_.rooms_due = kNever;
      room_.on_timeout(world_.now, written_.out);
    }
  }
  // What a session does with an audio packet before it forwards it.
  void hear(size_t i) {
    sources_[i]->listen(world_.now.mono, call_.server.peer->media(1), received_);
    room_.on_heard(world_.now, *sources_[i], written_.out);
  }
  // How many slots somebody holds.
  size_t shown() const {
    return static_cast<size_t>(
        std::count_if(receivers_.begin(), receivers_.end(), [](const auto& one) { return one->source() != nullptr; }));
  }

  // One packet of 80 bytes on its way from the datagram to the session, ready to be received.
  void send() {
    call_.client.out.clear();
    peer::MediaPacket packet;
    packet.payload = world_.pool.copy(as_bytes(std::string(80, 'x')));
    const uint8_t level = 0x80 | 30;
    packet.extensions.add(rtp::Extension::kAudioLevel, {&level, 1});
    const auto& codecs = call_.client.peer->media(1).negotiated().codecs;
    world_.now.mono += kFrame;
    ++sent_;
    call_.client.peer->send_media(
        world_.now, 1, packet, {sent_, static_cast<uint32_t>(sent_) * 960, codecs[0].payload_type}, call_.client.out);
    const SendBatch& out = call_.client.out;
    const ByteView bytes = out.bytes(out.entries().back());
    datagram_.assign(bytes.begin(), bytes.end());
  }
  void receive() {
    peer::Output out = call_.server.output();
    call_.server.peer->on_datagram(world_.now,
                                   {{call_.client.address, call_.server.address.ip}, world_.now.mono, datagram_}, out);
    received_count_ += call_.server.packets.size();
    call_.server.packets.clear();
  }
  size_t received_count() const { return received_count_; }

 private:
  static std::string peer_name(size_t i) { return "participant-" + std::to_string(i); }

  void publish(size_t i) {
    Source source;
    source.key = {peer_name(i), "audio_main"};
    source.kind = MediaKind::kAudio;
    source.owner = SessionId{i + 1};
    source.publisher = call_.server.peer.get();
    source.media = 1;
    source.take_formats(call_.server.peer->media(1));
    sources_.push_back(room_.publish(std::move(source), written_.out));
  }
  void listen(size_t i) {
    const SessionId id{i + 1};
    const std::string name = peer_name(i);
    room_.add_mixer(id, name, "default", /*hears_all=*/true, written_.out);
    for (size_t slot = 0; slot < mixminus::kSlots; ++slot) {
      receivers_.push_back(std::make_unique<Receiver>("audio_" + std::to_string(slot), MediaKind::kAudio, id,
                                                      *call_.server.peer, 2, world_.rng));
      if (room_.bind_slot(world_.now, {id, name, slot}, *receivers_.back(), "default", slot, written_.out))
        std::abort();
    }
  }
  int level_of(size_t i) {
    // Turns of a second: the three that follow each other of the first five.
    const auto turn = static_cast<size_t>(frame_ / 50);
    const bool talks = load_ == Load::kEverybody || (i < 5 && (i + 5 - turn % 5) % 5 < 3);
    if (!talks) return -90 - static_cast<int>(world_.rng.below(30));
    return world_.rng.below(10) == 0 ? -70 : -20 - static_cast<int>(world_.rng.below(20));
  }
  void write(size_t i) {
    const uint8_t level = rtp::write_audio_level({true, static_cast<uint8_t>(-level_of(i))});
    const peer::MediaLine& line = call_.server.peer->media(1);
    const rtp::ExtensionValue values[] = {{line.extensions().id_of(rtp::Extension::kAudioLevel), {&level, 1}}};
    bytes_.resize(200);
    const auto timestamp = static_cast<uint32_t>(frame_) * 960;
    const size_t size =
        rtp::write_header(bytes_, {false, line.negotiated().codecs[0].payload_type, 1, timestamp, 1'000}, values);
    bytes_.resize(size + 80);
    received_ = {1, frame_, 0, *rtp::parse(bytes_)};
  }

  Load load_;
  peer::CallWorld world_{7};
  Call call_{world_};
  Room room_{"hall"};
  OwnedOutput written_{world_.pool};
  std::vector<Source*> sources_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  int64_t frame_ = 0, sent_ = 0;
  Bytes bytes_, datagram_;
  peer::ReceivedPacket received_{};
  size_t received_count_ = 0;
};

}  // namespace

// What callgrind counts: nothing else.
[[gnu::noinline]] void measured_hear(void* hall, size_t i) {
  static_cast<Hall*>(hall)->hear(i);
}
[[gnu::noinline]] void measured_receive(void* hall) {
  static_cast<Hall*>(hall)->receive();
}

namespace {

// In the process that runs under valgrind: how many packets were counted.
int run_one(const std::string& what, size_t sources) {
  Hall hall(sources, what == "everybody" ? Load::kEverybody : Load::kConversation);
  size_t packets = 0;
  if (what == "receive") {
    for (int i = 0; i < kWarmUpFrames; ++i) hall.send(), hall.receive();
    for (int i = 0; i < kFrames; ++i, ++packets) hall.send(), measured_receive(&hall);
    if (hall.received_count() != packets + kWarmUpFrames) return 1;
  } else {
    size_t shown = 0;
    for (int i = 0; i < kWarmUpFrames; ++i) hall.frame([&](size_t source) { hall.hear(source); });
    for (int i = 0; i < kFrames; ++i) {
      hall.frame([&](size_t source) {
        measured_hear(&hall, source);
        ++packets;
      });
      shown += hall.shown();
    }
    std::printf("shown %.2f\n", static_cast<double>(shown) / kFrames / kListeners);
  }
  std::printf("packets %zu\n", packets);
  return 0;
}

struct Figure {
  double instructions = 0;  // for each packet
  double shown = 0;         // slots that somebody holds, of each listener
};

std::optional<Figure> measure(const std::string& program, const std::string& what, size_t sources) {
  const std::string command =
      "valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no "
      "'--toggle-collect=*measured_*' " +
      program + " --one " + what + " " + std::to_string(sources) + " 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  double collected = 0, packets = 0;
  Figure figure;
  std::string said;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    said += line;
    if (const char* at = std::strstr(line, "Collected : ")) collected = std::atof(at + 12);
    if (std::strncmp(line, "packets ", 8) == 0) packets = std::atof(line + 8);
    if (std::strncmp(line, "shown ", 6) == 0) figure.shown = std::atof(line + 6);
  }
  if (pclose(pipe) != 0 || packets == 0 || collected == 0) {
    std::fprintf(stderr, "%s", said.c_str());
    return std::nullopt;
  }
  figure.instructions = collected / packets;
  return figure;
}

// Sources against instructions; the first is on a scale of doublings.
void write_plot(const std::map<std::string, std::vector<double>>& lines, double most) {
  std::ofstream out("build/bench/mix_minus.svg");
  const auto x = [](size_t i) { return 70 + static_cast<int>(i) * 90; };
  const auto y = [most](double value) { return 260 - static_cast<int>(value / most * 220); };
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='310' font-family='sans-serif' font-size='12'>\n"
      << "<path d='M60 30V260H560' fill='none' stroke='black'/>\n<text x='300' y='300'>sources</text>\n"
      << "<text x='60' y='20'>instructions for each audio packet</text>\n";
  for (size_t i = 0; i < std::size(kSourceCounts); ++i) {
    out << "<text x='" << x(i) - 8 << "' y='278'>" << kSourceCounts[i] << "</text>\n";
  }
  for (const double value : {0.0, most / 2, most}) {
    out << "<text x='10' y='" << y(value) + 4 << "'>" << static_cast<int>(value) << "</text>\n";
  }
  const char* colours[] = {"#c03030", "#3060c0", "#308030"};
  size_t next = 0;
  for (const auto& [name, values] : lines) {
    const char* colour = colours[next++ % 3];
    out << "<polyline fill='none' stroke-width='2' stroke='" << colour << "' points='";
    for (size_t i = 0; i < values.size(); ++i) out << x(i) << ',' << y(values[i]) << ' ';
    out << "'/>\n<text fill='" << colour << "' x='330' y='" << y(values.back()) - 8 << "'>" << name << "</text>\n";
  }
  out << "</svg>\n";
}

int run_all(const std::string& program) {
  const auto receive = measure(program, "receive", 10);
  if (!receive) return 1;
  std::printf("instructions for each audio packet, %zu listeners; to receive it alone: %.0f\n\n", kListeners,
              receive->instructions);
  std::printf(
      "| sources | conversation | with receiving | slots held | everybody talks | with receiving |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  nlohmann::ordered_json json;
  json["listeners"] = kListeners;
  json["receive"] = receive->instructions;
  std::map<std::string, std::vector<double>> lines;
  double most = 0;
  for (const size_t sources : kSourceCounts) {
    const auto conversation = measure(program, "conversation", sources),
               everybody = measure(program, "everybody", sources);
    if (!conversation || !everybody) return 1;
    const double a = receive->instructions + conversation->instructions,
                 b = receive->instructions + everybody->instructions;
    std::printf("| %zu | %.0f | %.0f | %.1f | %.0f | %.0f |\n", sources, conversation->instructions, a,
                conversation->shown, everybody->instructions, b);
    std::fflush(stdout);
    json["figures"].push_back(
        {{"sources", sources}, {"conversation", conversation->instructions}, {"everybody", everybody->instructions}});
    lines["in a conversation, with receiving"].push_back(a);
    lines["everybody talks, with receiving"].push_back(b);
    lines["mix-minus alone, in a conversation"].push_back(conversation->instructions);
    most = std::max({most, a, b});
  }
  std::ofstream("build/bench/mix_minus.json") << json.dump(2) << '\n';
  write_plot(lines, most);
  for (const auto& [name, values] : lines) {
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    std::printf("%s: the most is %.0f %% above the least\n", name.c_str(), 100 * (*greatest / *least - 1));
  }
  return 0;
}

}  // namespace
}  // namespace atm::room

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--one") == 0) {
    return atm::room::run_one(argv[2], static_cast<size_t>(std::atoi(argv[3])));
  }
  return atm::room::run_all(argv[0]);
}

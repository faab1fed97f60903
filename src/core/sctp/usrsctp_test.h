// For the tests of this folder only: usrsctp, a stack by other hands, as one end of a LossyLink in virtual time, and an
// association of ours that is connected to it. usrsctp runs without threads and its timers are turned by hand. Its
// random numbers are its own, so that only outcomes can be compared.
#pragma once

#include <gtest/gtest.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/sctp/association.h"
#include "core/sctp/association_test.h"
#include "core/sctp/lossy_link.h"

namespace atm::sctp {

// What gettimeofday() tells usrsctp, see usrsctp_interop_test.cpp.
inline WallTime usrsctp_clock;

struct UsrsctpOutput {
  std::vector<Bytes> packets;
  std::vector<Message> messages;
};

// usrsctp is one global of the process, with one output function: it finds its end by the address it was given.
class UsrsctpEnd;
inline std::map<void*, UsrsctpEnd*> ends;

class UsrsctpEnd {
 public:
  enum class Opens : uint8_t { kActive, kPassive };

  explicit UsrsctpEnd(Opens opens) : opens_(opens) {
    start_stack();
    ends[this] = this;
    usrsctp_register_address(this);
    listener_ = make_socket();
    sockaddr_conn address = own_address();
    EXPECT_EQ(usrsctp_bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    if (opens == Opens::kPassive) {
      EXPECT_EQ(usrsctp_listen(listener_, 1), 0);
    }
  }
  ~UsrsctpEnd() {
    linger(listener_);
    usrsctp_close(listener_);
    if (socket_ != nullptr && socket_ != listener_) {
      linger(socket_);
      usrsctp_close(socket_);
    }
    usrsctp_deregister_address(this);
    ends.erase(this);
  }
  UsrsctpEnd(const UsrsctpEnd&) = delete;
  UsrsctpEnd& operator=(const UsrsctpEnd&) = delete;

  void connect(Now now, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    sockaddr_conn peer = own_address();
    const int result = usrsctp_connect(listener_, reinterpret_cast<sockaddr*>(&peer), sizeof(peer));
    EXPECT_TRUE(result == 0 || errno == EINPROGRESS) << errno;
    set_path(listener_);
    socket_ = listener_;
  }
  void on_packet(Now now, ByteView bytes, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    usrsctp_conninput(this, bytes.data(), bytes.size(), 0);
  }
  void on_timeout(Now now, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    usrsctp_handle_timers(static_cast<uint32_t>(to_ms(kTick)));
    next_tick_ = now.mono + kTick;
  }
  Instant next_timeout() const { return next_tick_; }

  // Queued here as long as usrsctp's buffer is full.
  void send(Now now, uint16_t stream, ByteView payload, const Reliability& how, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    waiting_.push_back({stream, how, Bytes(payload.begin(), payload.end())});
  }
  void reset_stream(Now now, uint16_t stream, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    std::array<uint8_t, sizeof(sctp_reset_streams) + 2> buffer{};
    auto* request = reinterpret_cast<sctp_reset_streams*>(buffer.data());
    request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request->srs_number_streams = 1;
    request->srs_stream_list[0] = stream;
    EXPECT_EQ(usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, buffer.size()), 0) << errno;
  }
  void shutdown(Now now, UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    EXPECT_EQ(usrsctp_shutdown(socket_, SHUT_WR), 0);
  }
  // Streams that the peer, which is us, has reset.
  const std::set<uint16_t>& incoming_resets() const { return incoming_resets_; }
  const std::set<uint16_t>& outgoing_resets() const { return outgoing_resets_; }
  bool has_ended() const { return has_ended_; }

 private:
  static constexpr Duration kTick = 10ms;
  struct Waiting {
    uint16_t stream;
    Reliability how;
    Bytes payload;
  };

  // Around each call into usrsctp: where its packets go, and what it has for us afterwards.
  struct Guard {
    Guard(UsrsctpEnd& owner, Now now, UsrsctpOutput& out) : end(owner) {
      end.out_ = &out;
      usrsctp_clock = now.wall;
      if (end.next_tick_ == Instant{}) end.next_tick_ = now.mono + kTick;
    }
    ~Guard() {
      end.turn();
      end.out_ = nullptr;
    }
    UsrsctpEnd& end;
  };

  static void start_stack() {
    static bool started = false;
    if (std::exchange(started, true)) return;
    usrsctp_init_nothreads(0, &UsrsctpEnd::output, nullptr);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_sendspace(1 << 20);
    usrsctp_sysctl_set_sctp_recvspace(1 << 20);
  }
  static int output(void* address, void* buffer, size_t size, uint8_t, uint8_t) {
    const auto end = ends.find(address);
    if (end == ends.end() || end->second->out_ == nullptr) return 0;
    const auto* bytes = static_cast<const uint8_t*>(buffer);
    end->second->out_->packets.emplace_back(bytes, bytes + size);
    return 0;
  }
  sockaddr_conn own_address() {
    sockaddr_conn address{};
    address.sconn_family = AF_CONN;
    address.sconn_port = __builtin_bswap16(5000);
    address.sconn_addr = this;
    return address;
  }
  struct socket* make_socket() {
    struct socket* made = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
    EXPECT_NE(made, nullptr);
    usrsctp_set_non_blocking(made, 1);
    const int on = 1;
    usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on));
    usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on));
    sctp_assoc_value resets{};
    resets.assoc_id = SCTP_FUTURE_ASSOC;
    resets.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;
    usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof(resets));
    sctp_rtoinfo rto{};  // as ours: else a test waits for 60 s again and again
    rto.srto_assoc_id = SCTP_FUTURE_ASSOC;
    rto.srto_initial = static_cast<uint32_t>(to_ms(kRtoInitial));
    rto.srto_min = static_cast<uint32_t>(to_ms(kRtoMin));
    rto.srto_max = static_cast<uint32_t>(to_ms(kRtoMax));
    EXPECT_EQ(usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto)), 0);
    sctp_initmsg init{};
    init.sinit_num_ostreams = 1'024;
    init.sinit_max_instreams = 1'024;
    usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    for (const uint16_t type : {SCTP_STREAM_RESET_EVENT, SCTP_ASSOC_CHANGE, SCTP_PARTIAL_DELIVERY_EVENT}) {
      sctp_event event{};
      event.se_assoc_id = SCTP_FUTURE_ASSOC;
      event.se_on = 1;
      event.se_type = type;
      usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
    }
    return made;
  }
  void set_path(struct socket* of) {
    sctp_paddrparams path{};
    const sockaddr_conn peer = own_address();
    std::memcpy(&path.spp_address, &peer, sizeof(peer));
    path.spp_flags = SPP_PMTUD_DISABLE;
    path.spp_pathmtu = 1'188;
    usrsctp_setsockopt(of, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
  }
  static void linger(struct socket* of) {  // closing aborts, so that nothing stays in the process-wide stack
    const struct linger now{1, 0};
    usrsctp_setsockopt(of, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }

  void turn() {
    if (socket_ == nullptr && opens_ == Opens::kPassive) {
      socket_ = usrsctp_accept(listener_, nullptr, nullptr);
      if (socket_ != nullptr) {
        usrsctp_set_non_blocking(socket_, 1);
        set_path(socket_);
      }
    }
    if (socket_ == nullptr) return;
    receive();
    while (!waiting_.empty() && offer(waiting_.front())) waiting_.pop_front();
  }
  bool offer(const Waiting& message) {
    sctp_sendv_spa how{};
    how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
    how.sendv_sndinfo.snd_sid = message.stream;
    how.sendv_sndinfo.snd_ppid = __builtin_bswap32(53);
    how.sendv_sndinfo.snd_flags = static_cast<uint16_t>(SCTP_EOR | (message.how.ordered ? 0 : SCTP_UNORDERED));
    if (message.how.max_retransmits) {
      how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
      how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
      how.sendv_prinfo.pr_value = *message.how.max_retransmits;
    } else if (message.how.lifetime) {
      how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
      how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_TTL;
      how.sendv_prinfo.pr_value = static_cast<uint32_t>(to_ms(*message.how.lifetime));
    }
    const auto sent = usrsctp_sendv(socket_, message.payload.data(), message.payload.size(), nullptr, 0, &how,
                                    sizeof(how), SCTP_SENDV_SPA, 0);
    return sent == static_cast<ssize_t>(message.payload.size());
  }
  void receive() {
    std::array<uint8_t, 65'536> buffer;
    while (true) {
      sctp_rcvinfo info{};
      socklen_t info_size = sizeof(info);
      unsigned info_type = 0;
      int flags = 0;
      const auto size =
          usrsctp_recvv(socket_, buffer.data(), buffer.size(), nullptr, nullptr, &info, &info_size, &info_type, &flags);
      if (size <= 0) {
        if (size == 0) has_ended_ = true;
        return;
      }
      const ByteView bytes(buffer.data(), static_cast<size_t>(size));
      if ((flags & MSG_NOTIFICATION) != 0) {
        on_notification(bytes);
        continue;
      }
      partial_.insert(partial_.end(), bytes.begin(), bytes.end());
      if ((flags & MSG_EOR) == 0) continue;
      Message message{info.rcv_sid, __builtin_bswap32(info.rcv_ppid), (info.rcv_flags & SCTP_UNORDERED) != 0, {}};
      message.payload.swap(partial_);
      out_->messages.push_back(std::move(message));
    }
  }
  void on_notification(ByteView bytes) {
    sctp_notification header{};
    std::memcpy(&header, bytes.data(), std::min(bytes.size(), sizeof(header)));
    if (header.sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) partial_.clear();  // given up after its beginning
    if (header.sn_header.sn_type != SCTP_STREAM_RESET_EVENT) return;
    for (size_t at = sizeof(sctp_stream_reset_event); at + 2 <= bytes.size(); at += 2) {
      uint16_t stream = 0;
      std::memcpy(&stream, bytes.data() + at, 2);
      if ((header.sn_strreset_event.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0) {
        incoming_resets_.insert(stream);
      } else {
        outgoing_resets_.insert(stream);
      }
    }
  }

  Opens opens_;
  struct socket* listener_ = nullptr;
  struct socket* socket_ = nullptr;
  UsrsctpOutput* out_ = nullptr;
  Instant next_tick_{};
  std::deque<Waiting> waiting_;
  Bytes partial_;
  std::set<uint16_t> incoming_resets_;
  std::set<uint16_t> outgoing_resets_;
  bool has_ended_ = false;
};

enum class Opener : uint8_t { kWe, kUsrsctp, kBoth };

struct Interop {
  Interop(Opener opener, const LinkConfig& config, uint64_t seed)
      : rng(seed),
        we({}, rng),
        they(opener == Opener::kWe ? UsrsctpEnd::Opens::kPassive : UsrsctpEnd::Opens::kActive),
        link(we, they, config, seed) {
    if (opener != Opener::kUsrsctp) we.connect(link.now(), link.out_a());
    if (opener != Opener::kWe) they.connect(link.now(), link.out_b());
    // A first message each way: only then are both up.
    EXPECT_TRUE(we.send(link.now(), 0, 53, Bytes{1}, {}, link.out_a()));
    they.send(link.now(), 0, Bytes{2}, {}, link.out_b());
    EXPECT_TRUE(link.run(120s, [&] { return our_messages().size() == 1 && link.out_b().messages.size() == 1; }));
  }
  std::vector<Message> our_messages() {
    std::vector<Message> found;
    for (const AssociationEvent& event : link.out_a().events) {
      if (const auto* message = std::get_if<Message>(&event)) found.push_back(*message);
    }
    return found;
  }
  template <typename Event>
  size_t count() {
    const auto& events = link.out_a().events;
    return static_cast<size_t>(std::count_if(events.begin(), events.end(), [](const AssociationEvent& event) {
      return std::holds_alternative<Event>(event);
    }));
  }

  std::set<uint16_t> reset_streams() {  // of ours
    std::set<uint16_t> found;
    for (const AssociationEvent& event : link.out_a().events) {
      if (const auto* reset = std::get_if<StreamsReset>(&event)) {
        found.insert(reset->streams.begin(), reset->streams.end());
      }
    }
    return found;
  }

  // What a failed test wants to know.
  std::string state() const {
    const Counters& c = we.counters();
    std::string text = we.is_up() ? "up" : we.is_down() ? "down" : "on its way";
    for (const auto& [member, name] : kCounterNames) {
      if (c.*member > 0) text += std::string(" ") + name + "=" + std::to_string(c.*member);
    }
    return text;
  }

  SeededRng rng;
  Association we;
  UsrsctpEnd they;
  LossyLink<Association, UsrsctpEnd, AssociationOutput, UsrsctpOutput> link;
};

inline std::string opener_name(const testing::TestParamInfo<Opener>& param) {
  switch (param.param) {
    case Opener::kWe:
      return "WeOpen";
    case Opener::kUsrsctp:
      return "UsrsctpOpens";
    case Opener::kBoth:
      return "BothOpen";
  }
  return "";
}
inline const auto kAllOpeners = testing::Values(Opener::kWe, Opener::kUsrsctp, Opener::kBoth);

}  // namespace atm::sctp

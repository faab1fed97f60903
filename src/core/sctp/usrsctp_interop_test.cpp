// The association against usrsctp, a stack by other hands, over a lossy link in virtual time: usrsctp runs without
// threads and its timers are turned by hand. Its random numbers are its own, so that only outcomes are compared here.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <usrsctp.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <set>

#include "core/sctp/association.h"
#include "core/sctp/lossy_link.h"

namespace {
atm0s::WallTime usrsctp_clock;
}

// usrsctp reads the time of day beside its timers (T3 leaves alone what it thinks was sent just now): it shall see the
// link's. The definition in the program goes before the C library's.
extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  const int64_t us = usrsctp_clock.time_since_epoch().count();
  time->tv_sec = us / 1'000'000;
  time->tv_usec = us % 1'000'000;
  return 0;
}

namespace atm0s::sctp {
namespace {

struct UsrsctpOutput {
  std::vector<Bytes> packets;
  std::vector<Message> messages;
};

// usrsctp is one global of the process, with one output function: it finds its end by the address it was given.
class UsrsctpEnd;
std::map<void*, UsrsctpEnd*> ends;

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
  void send(Now now, uint16_t stream, ByteView payload, bool ordered, std::optional<uint16_t> retransmits,
            UsrsctpOutput& out) {
    const Guard guard(*this, now, out);
    waiting_.push_back({stream, ordered, retransmits, Bytes(payload.begin(), payload.end())});
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
    bool ordered;
    std::optional<uint16_t> retransmits;
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
    sctp_initmsg init{};
    init.sinit_num_ostreams = 1'024;
    init.sinit_max_instreams = 1'024;
    usrsctp_setsockopt(made, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    for (const uint16_t type : {SCTP_STREAM_RESET_EVENT, SCTP_ASSOC_CHANGE}) {
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
    how.sendv_sndinfo.snd_flags = static_cast<uint16_t>(SCTP_EOR | (message.ordered ? 0 : SCTP_UNORDERED));
    if (message.retransmits) {
      how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
      how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
      how.sendv_prinfo.pr_value = *message.retransmits;
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

using Link = LossyLink<Association, UsrsctpEnd, AssociationOutput, UsrsctpOutput>;

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
    they.send(link.now(), 0, Bytes{2}, true, {}, link.out_b());
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

  SeededRng rng;
  Association we;
  UsrsctpEnd they;
  Link link;
};

Bytes make_payload(size_t size, uint64_t seed) {
  Bytes out(size);
  SeededRng(seed).fill(out);
  return out;
}

class UsrsctpInterop : public testing::TestWithParam<Opener> {};
INSTANTIATE_TEST_SUITE_P(Openers, UsrsctpInterop, testing::Values(Opener::kWe, Opener::kUsrsctp, Opener::kBoth),
                         [](const auto& param) {
                           switch (param.param) {
                             case Opener::kWe:
                               return "WeOpen";
                             case Opener::kUsrsctp:
                               return "UsrsctpOpens";
                             case Opener::kBoth:
                               return "BothOpen";
                           }
                           return "";
                         });

TEST_P(UsrsctpInterop, ExchangesMessagesOfEverySizeUnderLoss) {
  const LinkConfig links[] = {{}, {.loss = 0.1, .jitter = 10ms}, {.loss = 0.2, .duplication = 0.05, .jitter = 30ms}};
  uint64_t seed = 1;
  for (const LinkConfig& config : links) {
    Interop interop(GetParam(), config, ++seed);
    const size_t sizes[] = {1, 2, 1'119, 1'120, 1'121, 5'000, 65'535, 65'536, 262'144};
    for (const size_t size : sizes) {
      ASSERT_TRUE(interop.we.send(interop.link.now(), 1, 53, make_payload(size, size), {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), 1, make_payload(size, size + 1), true, {}, interop.link.out_b());
    }
    const size_t total = 1 + std::size(sizes);
    ASSERT_TRUE(interop.link.run(
        1'200s, [&] { return interop.count<Message>() >= total && interop.link.out_b().messages.size() >= total; }))
        << config.loss << ": " << interop.count<Message>() << " and " << interop.link.out_b().messages.size();
    const auto ours = interop.our_messages();
    const auto& theirs = interop.link.out_b().messages;
    for (size_t i = 0; i < std::size(sizes); ++i) {
      EXPECT_TRUE(ours[i + 1].payload == make_payload(sizes[i], sizes[i] + 1)) << sizes[i];
      EXPECT_TRUE(theirs[i + 1].payload == make_payload(sizes[i], sizes[i])) << sizes[i];
      EXPECT_EQ(theirs[i + 1].ppid, 53u);
      EXPECT_EQ(theirs[i + 1].stream, 1);
    }
    interop.link.run_for(10s);
    EXPECT_EQ(interop.count<Message>(), total);
    EXPECT_EQ(interop.link.out_b().messages.size(), total);
    const Counters& counters = interop.we.counters();
    EXPECT_EQ(counters.drop_checksum + counters.drop_malformed + counters.drop_tag + counters.drop_sack_invalid, 0u);
  }
}

TEST_P(UsrsctpInterop, UnorderedMessagesArriveOnceEach) {
  Interop interop(GetParam(), {.loss = 0.15, .jitter = 30ms}, 9);
  std::multiset<Bytes> sent;
  for (uint32_t i = 0; i < 60; ++i) {
    const Bytes payload = make_payload(1 + i * 211 % 6'000, i);
    sent.insert(payload);
    ASSERT_TRUE(interop.we.send(interop.link.now(), 2, 53, payload,
                                {.ordered = false, .max_retransmits = {}, .lifetime = {}}, interop.link.out_a()));
    interop.they.send(interop.link.now(), 2, payload, false, {}, interop.link.out_b());
  }
  ASSERT_TRUE(interop.link.run(
      600s, [&] { return interop.count<Message>() >= 61 && interop.link.out_b().messages.size() >= 61; }));
  std::multiset<Bytes> ours, theirs;
  for (const Message& message : interop.our_messages()) ours.insert(message.payload);
  for (const Message& message : interop.link.out_b().messages) theirs.insert(message.payload);
  sent.insert(Bytes{2});
  EXPECT_EQ(ours, sent);
  sent.erase(Bytes{2});
  sent.insert(Bytes{1});
  EXPECT_EQ(theirs, sent);
}

// FORWARD-TSN as another stack sends it: what it gives up must not hold up what follows.
TEST_P(UsrsctpInterop, MessagesThatUsrsctpGivesUpAreSkipped) {
  for (const bool ordered : {true, false}) {
    Interop interop(GetParam(), {.loss = 0.2, .jitter = 20ms}, 10);
    std::set<Bytes> sent;
    for (uint32_t i = 0; i < 150; ++i) {
      const Bytes payload = make_payload(100 + i * 37 % 4'000, i);
      sent.insert(payload);
      interop.they.send(interop.link.now(), 3, payload, ordered, uint16_t{0}, interop.link.out_b());
    }
    const Bytes last = make_payload(500, 999);
    interop.they.send(interop.link.now(), 3, last, true, {}, interop.link.out_b());
    ASSERT_TRUE(interop.link.run(600s, [&] { return interop.our_messages().back().payload == last; }));
    const auto got = interop.our_messages();
    std::set<Bytes> seen;
    for (size_t i = 1; i + 1 < got.size(); ++i) {
      EXPECT_TRUE(sent.contains(got[i].payload));
      EXPECT_TRUE(seen.insert(got[i].payload).second);
    }
    EXPECT_LT(seen.size(), sent.size());  // some were given up: the link loses a fifth
    EXPECT_GT(seen.size(), sent.size() / 5);
    EXPECT_TRUE(interop.we.is_up());
  }
}

TEST_P(UsrsctpInterop, StreamsAreResetBothWaysAndUsedAgain) {
  Interop interop(GetParam(), {.loss = 0.1, .jitter = 10ms}, 11);
  const Bytes first = make_payload(3'000, 1);
  ASSERT_TRUE(interop.we.send(interop.link.now(), 4, 53, first, {}, interop.link.out_a()));
  interop.they.send(interop.link.now(), 4, first, true, {}, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.our_messages().size() == 2 && interop.link.out_b().messages.size() == 2; }));
  interop.they.reset_stream(interop.link.now(), 4, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(60s, [&] { return interop.count<PeerResetStreams>() == 1; }));
  ASSERT_TRUE(interop.link.run(60s, [&] { return interop.they.outgoing_resets().contains(4); }));
  interop.we.reset_stream(interop.link.now(), 4, interop.link.out_a());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.count<StreamsReset>() == 1 && interop.they.incoming_resets().contains(4); }));
  ASSERT_TRUE(interop.we.send(interop.link.now(), 4, 53, first, {}, interop.link.out_a()));
  interop.they.send(interop.link.now(), 4, first, true, {}, interop.link.out_b());
  ASSERT_TRUE(interop.link.run(
      60s, [&] { return interop.our_messages().size() == 3 && interop.link.out_b().messages.size() == 3; }));
}

TEST_P(UsrsctpInterop, EitherSideShutsDown) {
  for (const bool we_close : {true, false}) {
    Interop interop(GetParam(), {.loss = 0.1}, 12);
    ASSERT_TRUE(interop.we.send(interop.link.now(), 1, 53, make_payload(20'000, 1), {}, interop.link.out_a()));
    interop.they.send(interop.link.now(), 1, make_payload(20'000, 1), true, {}, interop.link.out_b());
    if (we_close) {
      interop.we.close(interop.link.now(), interop.link.out_a());
    } else {
      interop.they.shutdown(interop.link.now(), interop.link.out_b());
    }
    ASSERT_TRUE(interop.link.run(120s, [&] { return interop.we.is_down() && interop.they.has_ended(); })) << we_close;
    EXPECT_EQ(interop.our_messages().size(), 2u);
    EXPECT_EQ(interop.link.out_b().messages.size(), 2u);
    EXPECT_EQ(std::get<AssociationDown>(interop.link.out_a().events.back()).reason, DisconnectReason::kShutdown);
  }
}

TEST(UsrsctpJudge, AgreesOnTheChecksum) {
  Bytes bytes = make_payload(1'000, 1);
  for (size_t size = 0; size < bytes.size(); size += 37) {
    const uint32_t theirs = usrsctp_crc32c(bytes.data(), size);
    EXPECT_EQ(crc32c(ByteView(bytes).first(size)), theirs) << size;
  }
}

}  // namespace
}  // namespace atm0s::sctp

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/ice/agent.h"
#include "core/ice/remote_agent.h"
#include "wire/stun/message_writer.h"
#include "wire/stun/rfc5769.h"

namespace atm::ice {
namespace {

using stun::Class;
using stun::MessageWriter;

const Credentials kServer{"serverAA", "a password of the server"};
const Credentials kNewServer{"serverBB", "its password after a restart"};

Path path_of(uint16_t port) {
  return {{IpAddress::v4(192, 0, 2, 1), port}, IpAddress::v4(198, 51, 100, 1)};
}

// A lite agent and what a client could send to it.
class LiteAgent : public testing::Test {
 protected:
  Now now() const { return {Instant{} + elapsed_, WallTime{} + elapsed_}; }

  static Bytes check(const Credentials& to, bool use_candidate, uint64_t id) {
    const RemoteAgent server(to, "client", 42);
    SendBatch batch;
    stun::TransactionId transaction;
    store_u64(transaction.bytes.data(), id);
    server.send_check({}, {transaction, 7, use_candidate}, batch);
    const ByteView bytes = batch.bytes(batch.entries()[0]);
    return {bytes.begin(), bytes.end()};
  }
  // A request of any attributes, signed with the right password.
  static Bytes request(const std::function<void(MessageWriter&)>& attributes, bool sign = true) {
    Bytes out(1'000);
    static uint64_t id = 1'000'000;
    stun::TransactionId transaction;
    store_u64(transaction.bytes.data(), ++id);
    MessageWriter writer(out, Class::kRequest, transaction);
    attributes(writer);
    if (sign) Integrity(kServer.pwd).sign(*writer.integrity_room());
    writer.fingerprint();
    out.resize(writer.finish());
    return out;
  }
  static Bytes with_raw_attribute(uint16_t type) {
    // No public writer makes unknown attributes: PRIORITY's type is overwritten before signing.
    return request(
        [&](MessageWriter& writer) {
          writer.username("serverAA:client");
          writer.priority(1);
          const auto room = writer.integrity_room();
          // The room of a first MESSAGE-INTEGRITY tells where the message lies; its bytes are ours to change here.
          auto* at = const_cast<uint8_t*>(room->covered.data() + room->covered.size() - 8);
          store_u16(at, type);
          Integrity(kServer.pwd).sign(*room);
        },
        false);
  }

  bool give(const Bytes& datagram, uint16_t port = 1) {
    out_.clear();
    const bool authentic = agent_.on_datagram(now(), path_of(port), datagram, out_);
    for (const auto& entry : out_.entries()) {
      EXPECT_EQ(entry.path, path_of(port));  // back the way it came
    }
    EXPECT_LE(out_.entries().size(), 1u);
    return authentic;
  }
  std::optional<stun::Message> answer() const {
    if (out_.empty()) return std::nullopt;
    return stun::parse_message(out_.bytes(out_.entries()[0]));
  }
  size_t answer_size() const { return out_.empty() ? 0 : out_.entries()[0].size; }
  void expect_error(uint16_t code) {
    const auto message = answer();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->message_class, Class::kError);
    ASSERT_TRUE(message->error);
    EXPECT_EQ(message->error->code, code);
    EXPECT_EQ(message->fingerprint, stun::Fingerprint::kRight);
  }

  Duration elapsed_ = 1s;
  uint64_t id_ = 0;
  SeededRng rng_{1};
  Agent agent_{Role::kLite, kServer, rng_};
  SendBatch out_;
};

TEST_F(LiteAgent, AnswersAnAuthenticCheckAndTrustsItsPath) {
  EXPECT_EQ(agent_.state(), State::kNew);
  EXPECT_EQ(agent_.next_timeout(), kNever);
  EXPECT_TRUE(give(check(kServer, false, 5)));
  const auto message = answer();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, Class::kSuccess);
  EXPECT_EQ(load_u64(message->id.bytes.data()), 5u);
  EXPECT_EQ(message->xor_mapped_address, path_of(1).remote);
  EXPECT_TRUE(Integrity(kServer.pwd).verifies(*message));
  EXPECT_EQ(message->fingerprint, stun::Fingerprint::kRight);
  EXPECT_TRUE(agent_.is_validated(path_of(1)));
  EXPECT_FALSE(agent_.is_validated(path_of(2)));
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_FALSE(agent_.is_nominated());
  EXPECT_EQ(agent_.state(), State::kConnected);
  EXPECT_EQ(agent_.last_authenticated(), now().mono);
}

TEST_F(LiteAgent, FollowsTheNominationToAnotherAddress) {
  give(check(kServer, true, ++id_), 1);
  EXPECT_TRUE(agent_.is_nominated());
  give(check(kServer, false, ++id_), 2);
  EXPECT_EQ(agent_.selected(), path_of(1));
  give(check(kServer, true, ++id_), 3);  // roamed
  EXPECT_EQ(agent_.selected(), path_of(3));
  EXPECT_TRUE(agent_.is_validated(path_of(1)));
}

// A NAT gave the client another port, and its consent checks do not say USE-CANDIDATE again (RFC 7675 does not ask it).
TEST_F(LiteAgent, FollowsTheChecksWhenTheChosenPathGoesQuiet) {
  give(check(kServer, true, ++id_), 1);
  elapsed_ += kQuietAfter - 1us;
  give(check(kServer, false, ++id_), 2);
  EXPECT_EQ(agent_.selected(), path_of(1));
  elapsed_ += 1us;
  give(check({kServer.ufrag, "wrong"}, false, ++id_), 3);
  EXPECT_EQ(agent_.selected(), path_of(1));
  give(check(kServer, false, ++id_), 2);
  EXPECT_EQ(agent_.selected(), path_of(2));
  give(check(kServer, false, ++id_), 1);  // and not back for one check over the old path
  EXPECT_EQ(agent_.selected(), path_of(2));
  give(check(kServer, true, ++id_), 1);
  EXPECT_EQ(agent_.selected(), path_of(1));
}

// UDP is let through after all, or the client has moved to where it is: the pair that it nominates later is in use.
TEST_F(LiteAgent, FollowsTheNominationFromTcpToUdpOfTheSameAddress) {
  Path tcp = path_of(1);
  tcp.transport = Transport::kTcp;
  EXPECT_TRUE(agent_.on_datagram(now(), tcp, check(kServer, true, ++id_), out_));
  EXPECT_EQ(out_.entries().back().path, tcp) << "answered over the connection";
  EXPECT_EQ(agent_.selected(), tcp);
  EXPECT_FALSE(agent_.is_validated(path_of(1)));
  const Bytes over_udp = check(kServer, true, ++id_);
  give(over_udp, 1);
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_FALSE(agent_.on_datagram(now(), tcp, over_udp, out_)) << "a check counts on its own path alone";
  EXPECT_EQ(agent_.counters().replayed, 1u);
}

TEST_F(LiteAgent, APathEndsWithItsConnectionAndTheNextCheckGivesAnother) {
  Path tcp = path_of(1);
  tcp.transport = Transport::kTcp;
  agent_.on_datagram(now(), tcp, check(kServer, true, ++id_), out_);
  give(check(kServer, false, ++id_), 2);
  agent_.on_path_closed(path_of(7));
  EXPECT_EQ(agent_.selected(), tcp);
  agent_.on_path_closed(tcp);
  EXPECT_EQ(agent_.selected(), path_of(2)) << "what lives is better than nothing";
  EXPECT_FALSE(agent_.is_validated(tcp));
  agent_.on_path_closed(path_of(2));
  EXPECT_FALSE(agent_.selected());
  EXPECT_EQ(agent_.state(), State::kFailed);
  EXPECT_EQ(agent_.counters().paths_closed, 2u);
  tcp.remote.port = 3;  // its next connection
  agent_.on_datagram(now(), tcp, check(kServer, false, ++id_), out_);
  EXPECT_EQ(agent_.selected(), tcp);
  EXPECT_EQ(agent_.state(), State::kConnected);
}

// A browser with two interfaces checks both all the time, the chosen one at least every few seconds.
TEST_F(LiteAgent, StaysWithAPathThatSpeaksWhateverElseDoes) {
  give(check(kServer, true, ++id_), 1);
  for (int i = 0; i < 200; ++i) {
    elapsed_ += 500ms;
    give(check(kServer, false, ++id_), 2);
    if (i % 19 == 0) give(check(kServer, false, ++id_), 1);
    ASSERT_EQ(agent_.selected(), path_of(1));
  }
}

// Whatever lengths of requests there are: the answer to who has proved nothing is no longer.
TEST_F(LiteAgent, NoAnswerToTheUnprovenIsLongerThanItsRequest) {
  size_t answered = 0;
  for (size_t name = 0; name <= 60; ++name) {
    for (const bool is_signed : {false, true}) {
      const Bytes asked = request(
          [&](MessageWriter& writer) {
            if (name > 0) writer.username(std::string(name, 'x'));
          },
          is_signed);
      elapsed_ += 1s;
      EXPECT_FALSE(give(asked));
      EXPECT_LE(answer_size(), asked.size()) << name;
      answered += out_.entries().size();
    }
  }
  EXPECT_GT(answered, 100u);
}

TEST_F(LiteAgent, RefusesAWrongPasswordAndMovesNothing) {
  give(check(kServer, true, ++id_), 1);
  const Bytes forged = check({kServer.ufrag, "not the password"}, true, ++id_);
  EXPECT_FALSE(give(forged, 2));
  expect_error(401);
  EXPECT_LE(answer_size(), forged.size());
  EXPECT_FALSE(answer()->integrity);
  EXPECT_FALSE(agent_.is_validated(path_of(2)));
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_EQ(agent_.counters().bad_integrity, 1u);
}

TEST_F(LiteAgent, RefusesAForeignFragment) {
  EXPECT_FALSE(give(check({"serverAB", kServer.pwd}, true, ++id_)));
  expect_error(401);
  EXPECT_FALSE(give(request([](MessageWriter& writer) { writer.username("serverAA"); })));  // no colon
  expect_error(401);
  EXPECT_EQ(agent_.counters().unknown_ufrag, 2u);
  EXPECT_EQ(agent_.state(), State::kNew);
}

TEST_F(LiteAgent, WantsCredentials) {
  const auto priority_and_name = [](MessageWriter& writer) {
    writer.priority(1);
    writer.username("serverAA:client");
  };
  EXPECT_FALSE(give(request(priority_and_name, false)));
  expect_error(400);
  EXPECT_FALSE(give(request([](MessageWriter& writer) { writer.priority(1); })));
  expect_error(400);
  EXPECT_EQ(agent_.counters().missing_credentials, 2u);
}

TEST_F(LiteAgent, NeverAnswersTheUnprovenAtGreaterLength) {
  const Bytes tiny = request([](MessageWriter&) {}, false);
  ASSERT_EQ(tiny.size(), 28u);
  EXPECT_FALSE(give(tiny));
  EXPECT_TRUE(out_.empty());
  EXPECT_EQ(agent_.counters().errors_withheld, 1u);
}

TEST_F(LiteAgent, LimitsErrorsToTheUnprovenPerSecond) {
  size_t answers = 0;
  const auto ask = [&](uint16_t port, uint8_t host) {
    out_.clear();
    const Path path{{IpAddress::v4(192, 0, 2, host), port}, IpAddress::v4(198, 51, 100, 1)};
    EXPECT_FALSE(agent_.on_datagram(now(), path, check({kServer.ufrag, "wrong"}, true, ++id_), out_));
    answers += out_.entries().size();
  };
  for (uint16_t port = 1; port <= 100; ++port) ask(port, 1);  // one address, whatever its port
  EXPECT_EQ(answers, kMaxErrorsPerAddress);
  for (uint8_t host = 2; host <= 100; ++host) ask(1, host);
  EXPECT_EQ(answers, kMaxUnprovenErrors);
  EXPECT_EQ(agent_.counters().errors_withheld, 199 - kMaxUnprovenErrors);
  elapsed_ += 1s;
  ask(1, 1);
  EXPECT_EQ(answers, kMaxUnprovenErrors + 1);
  EXPECT_TRUE(give(check(kServer, true, ++id_)));  // the proven are never limited
  EXPECT_FALSE(out_.empty());
}

TEST_F(LiteAgent, DropsAWrongOrAMissingFingerprint) {
  Bytes wrong = check(kServer, true, ++id_);
  wrong.back() ^= 1;
  EXPECT_FALSE(give(wrong));
  EXPECT_TRUE(out_.empty());
  Bytes missing = check(kServer, true, ++id_);
  missing.resize(missing.size() - 8);
  store_u16(missing.data() + 2, static_cast<uint16_t>(missing.size() - stun::kHeaderSize));
  EXPECT_FALSE(give(missing));
  EXPECT_TRUE(out_.empty());
  EXPECT_EQ(agent_.counters().bad_fingerprint, 2u);
}

TEST_F(LiteAgent, NamesTheAttributesThatItDoesNotKnow) {
  EXPECT_FALSE(give(with_raw_attribute(0x7abc)));
  expect_error(420);
  const auto list = answer()->find(stun::Attribute::kUnknownAttributes);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(load_u16(list->data()), 0x7abc);
  EXPECT_TRUE(Integrity(kServer.pwd).verifies(*answer()));
  EXPECT_FALSE(agent_.is_validated(path_of(1)));
  EXPECT_TRUE(give(with_raw_attribute(0xC057)));  // libwebrtc's network cost: may be ignored
}

TEST_F(LiteAgent, TellsAControlledPeerToControl) {
  EXPECT_FALSE(give(request([](MessageWriter& writer) {
    writer.username("serverAA:client");
    writer.ice_controlled(~uint64_t{0});
  })));
  expect_error(487);
  EXPECT_TRUE(Integrity(kServer.pwd).verifies(*answer()));
  EXPECT_EQ(agent_.state(), State::kNew);
  EXPECT_EQ(agent_.counters().role_conflict, 1u);
}

TEST_F(LiteAgent, DoesNotBelieveACheckReplayedFromElsewhere) {
  const Bytes captured = check(kServer, true, ++id_);
  EXPECT_TRUE(give(captured, 1));
  EXPECT_FALSE(give(captured, 2));
  EXPECT_TRUE(out_.empty());
  EXPECT_FALSE(agent_.is_validated(path_of(2)));
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_EQ(agent_.counters().replayed, 1u);
  EXPECT_TRUE(give(captured, 1));  // a retransmission is answered again
  EXPECT_FALSE(out_.empty());
}

TEST_F(LiteAgent, AcceptsBothGenerationsForAWhileAfterARestart) {
  give(check(kServer, true, ++id_), 1);
  agent_.restart(now(), kNewServer);
  EXPECT_EQ(agent_.local(), kNewServer);
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_TRUE(agent_.has_ufrag(now(), kServer.ufrag));
  elapsed_ += 5s;
  EXPECT_TRUE(give(check(kServer, true, ++id_), 1));
  EXPECT_TRUE(Integrity(kServer.pwd).verifies(*answer()));
  EXPECT_TRUE(give(check(kNewServer, true, ++id_), 2));
  EXPECT_TRUE(Integrity(kNewServer.pwd).verifies(*answer()));
  EXPECT_EQ(agent_.selected(), path_of(2));
  // A straggler of the old generation proves its path, and chooses nothing any more.
  EXPECT_TRUE(give(check(kServer, true, ++id_), 1));
  EXPECT_EQ(agent_.selected(), path_of(2));
  elapsed_ += kPreviousCredentialsTime;
  EXPECT_FALSE(give(check(kServer, true, ++id_), 1));
  EXPECT_FALSE(agent_.has_ufrag(now(), kServer.ufrag));
  EXPECT_TRUE(give(check(kNewServer, true, ++id_), 2));
}

TEST_F(LiteAgent, KeepsFewGenerations) {
  for (int i = 0; i < 20; ++i) agent_.restart(now(), {"generation" + std::to_string(i), "password of that one"});
  EXPECT_FALSE(agent_.has_ufrag(now(), kServer.ufrag));
  size_t known = 0;
  for (int i = 0; i < 20; ++i) known += agent_.has_ufrag(now(), "generation" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(known, 1 + kMaxPreviousCredentials);
}

TEST_F(LiteAgent, IsLostWithoutChecksAndComesBackWithOne) {
  give(check(kServer, true, ++id_), 1);
  EXPECT_EQ(agent_.next_timeout(), now().mono + kConsentTimeout);
  elapsed_ += kConsentTimeout;
  agent_.on_timeout(now(), out_);
  EXPECT_EQ(agent_.state(), State::kFailed);
  EXPECT_FALSE(agent_.selected());
  EXPECT_FALSE(agent_.is_validated(path_of(1)));
  EXPECT_EQ(agent_.next_timeout(), kNever);
  give(check(kServer, true, ++id_), 9);
  EXPECT_EQ(agent_.state(), State::kConnected);
  EXPECT_EQ(agent_.selected(), path_of(9));
}

TEST_F(LiteAgent, RemembersFewPaths) {
  give(check(kServer, true, ++id_), 1);
  for (uint16_t port = 2; port <= 100; ++port) {
    elapsed_ += 1ms;
    EXPECT_TRUE(give(check(kServer, false, ++id_), port));
  }
  size_t known = 0;
  for (uint16_t port = 1; port <= 100; ++port) known += agent_.is_validated(path_of(port)) ? 1 : 0;
  EXPECT_EQ(known, kMaxPaths);
  EXPECT_EQ(agent_.selected(), path_of(1));
  EXPECT_EQ(agent_.counters().paths_evicted, 100 - kMaxPaths);
}

TEST_F(LiteAgent, IgnoresResponsesIndicationsAndOtherMethods) {
  for (const Class message_class : {Class::kSuccess, Class::kError, Class::kIndication}) {
    Bytes out(200);
    MessageWriter writer(out, message_class, {});
    writer.username("serverAA:client");
    Integrity(kServer.pwd).sign(*writer.integrity_room());
    writer.fingerprint();
    out.resize(writer.finish());
    EXPECT_FALSE(give(out));
    EXPECT_TRUE(out_.empty());
  }
  Bytes out(200);
  MessageWriter writer(out, Class::kRequest, {}, 0x003);  // TURN Allocate
  writer.username("serverAA:client");
  Integrity(kServer.pwd).sign(*writer.integrity_room());
  writer.fingerprint();
  out.resize(writer.finish());
  EXPECT_FALSE(give(out));
  EXPECT_TRUE(out_.empty());
  EXPECT_EQ(agent_.counters().unexpected_message, 4u);
  EXPECT_EQ(agent_.state(), State::kNew);
}

TEST_F(LiteAgent, NoChangedBitOfACheckIsBelieved) {
  const Bytes good = check(kServer, true, ++id_);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes changed = good;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(give(changed));
    // With a fingerprint that fits, which anybody can compute: the integrity alone has to hold.
    store_u32(changed.data() + changed.size() - 4, stun::fingerprint_of(ByteView(changed).first(changed.size() - 8)));
    EXPECT_TRUE(bit >= (good.size() - 8) * 8 || !give(changed)) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) give(Bytes(good.begin(), good.begin() + static_cast<long>(size)));
  EXPECT_EQ(agent_.state(), State::kNew);
}

TEST_F(LiteAgent, TheFragmentIsReadBeforeAnySessionIsKnown) {
  EXPECT_EQ(Agent::peek_local_ufrag(check(kServer, true, 1)), kServer.ufrag);
  EXPECT_EQ(Agent::peek_local_ufrag(stun::rfc5769::kRequest), "evtj");
  EXPECT_FALSE(Agent::peek_local_ufrag(stun::rfc5769::kResponseV4));
  EXPECT_FALSE(Agent::peek_local_ufrag(request([](MessageWriter& writer) { writer.username(":client"); })));
  EXPECT_FALSE(Agent::peek_local_ufrag(request([](MessageWriter& writer) { writer.username("client"); })));
  EXPECT_FALSE(Agent::peek_local_ufrag({}));
}

}  // namespace
}  // namespace atm::ice

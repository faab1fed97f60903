// libFuzzer entry of the ICE agent, stateful: the input is a list of steps by somebody who knows both passwords, so
// that what is behind MESSAGE-INTEGRITY is reached: requests and answers of any attributes, from any path, over hours,
// with restarts and trickled candidates between. Holds what agent.h promises.
#include "core/ice/agent.h"

#include <algorithm>

#include "base/assert.h"
#include "core/ice/integrity.h"
#include "wire/stun/message_writer.h"

namespace {

using namespace atm;

class Harness {
 public:
  Harness(ice::Role role, uint64_t seed)
      : rng_(seed), agent_(role, {"ours", "the password of ours"}, rng_), remote_{"them", "the password of them"} {
    agent_.add_local_candidate(ice::make_host_candidate({local(0), 5'000}));
    agent_.add_local_candidate(ice::make_host_candidate({local(1), 5'000}));
  }

  void step(Reader& in) {
    switch (in.u8() % 12) {
      case 0:
      case 1:
      case 2:
        return request(in);
      case 3:
      case 4:
        return answer(in);
      case 5:
        return pass(Duration(1'000) * in.u16());
      case 6:
        return pass(1s * (in.u8() % 64));
      case 7:
        return agent_.add_remote_candidate(ice::make_host_candidate(remote_address(in.u8())));
      case 8:
        remote_.ufrag = "them" + std::to_string(in.u8() % 4);
        return agent_.set_remote(now_, remote_);
      case 9:
        agent_.restart(now_, {"ours" + std::to_string(in.u8() % 8), "the password of ours"});
        return;
      case 10:
        agent_.start(now_, out_);
        return sent();
      default:
        return raw(in);
    }
  }

 private:
  static IpAddress local(uint8_t which) { return IpAddress::v4(10, 0, 0, static_cast<uint8_t>(which % 3)); }
  static SocketAddress remote_address(uint8_t which) {
    return {IpAddress::v4(192, 0, 2, static_cast<uint8_t>(which >> 5)), static_cast<uint16_t>(1 + which % 32)};
  }
  static Path path_of(Reader& in) {
    const uint8_t from = in.u8(), to = in.u8();
    return {remote_address(from), local(to)};
  }

  void attributes(Reader& in, stun::MessageWriter& writer) {
    const uint8_t which = in.u8();
    if (which & 1) writer.priority(in.u32());
    if (which & 2) writer.use_candidate();
    if (which & 4) writer.ice_controlling(in.u32() * uint64_t{0x1'0000'0001});
    if (which & 8) writer.ice_controlled(in.u32() * uint64_t{0x1'0000'0001});
    if (which & 16) writer.xor_mapped_address(remote_address(in.u8()));
    if (which & 32) writer.error(static_cast<uint16_t>(300 + in.u16() % 400), "");
    if (which & 64) writer.unknown_attributes(std::array<uint16_t, 2>{in.u16(), in.u16()});
    if (which & 128) writer.software("x");
  }
  // A step's bytes: some of them are changed once in a while, with a FINGERPRINT that is right all the same.
  void give(Reader& in, const Path& path, MutByteView datagram, bool is_right) {
    const uint8_t changes = in.u8();
    if (changes > 250 && datagram.size() > 8) {
      datagram[in.u16() % (datagram.size() - 8)] ^= static_cast<uint8_t>(1 + in.u8() % 255);
      store_u32(datagram.data() + datagram.size() - 4, stun::fingerprint_of(datagram.first(datagram.size() - 8)));
      is_right = false;
    }
    const bool was_validated = agent_.is_validated(path);
    const auto selected = agent_.selected();
    if (!stun::is_stun(datagram)) return;
    const bool is_authentic = agent_.on_datagram(now_, path, datagram, out_);
    if (!is_right) {
      ASSERT(!is_authentic);
      ASSERT(agent_.is_validated(path) == was_validated && agent_.selected() == selected);
      for (const auto& entry : out_.entries()) ASSERT(entry.path == path && entry.size <= datagram.size());
    }
    ASSERT(out_.entries().size() <= 2);  // an answer, or a check that an answer was waited for with
    sent();
  }
  void request(Reader& in) {
    const Path path = path_of(in);
    const uint8_t how = in.u8();
    stun::TransactionId id;
    id.bytes[0] = in.u8() % 16;  // repeats itself
    uint8_t buffer[512];
    stun::MessageWriter writer(buffer, static_cast<stun::Class>(how & 1), id);
    const bool has_name = how % 16 != 0;
    if (has_name) writer.username(agent_.local().ufrag + ":them");
    attributes(in, writer);
    const bool is_right = how % 8 != 1;
    sign(writer, is_right ? "the password of ours" : "a wrong password");
    give(in, path, {buffer, writer.finish()}, is_right && has_name);
  }
  void answer(Reader& in) {
    const uint8_t how = in.u8();
    stun::TransactionId id;
    Path path = path_of(in);
    if (asked_count_ > 0) {
      const Asked& asked = asked_[in.u8() % asked_count_];
      id = asked.id;
      if (how & 16) path = asked.path;
    }
    uint8_t buffer[512];
    stun::MessageWriter writer(buffer, how & 1 ? stun::Class::kSuccess : stun::Class::kError, id);
    attributes(in, writer);
    const bool is_right = how % 8 != 3;
    sign(writer, is_right ? remote_.pwd : "a wrong password");
    // An unsigned 401 may fail a check, so nothing is asserted of a wrong one but that it is not authentic.
    const size_t size = writer.finish();
    if (!is_right) {
      ASSERT(!agent_.on_datagram(now_, path, {buffer, size}, out_));
      return sent();
    }
    give(in, path, {buffer, size}, true);
  }
  static void sign(stun::MessageWriter& writer, std::string_view password) {
    if (const auto room = writer.integrity_room()) ice::Integrity(password).sign(*room);
    writer.fingerprint();
  }
  void raw(Reader& in) {
    const Path path = path_of(in);
    const ByteView bytes = in.take(std::min<size_t>(in.u8(), in.left()));
    if (bytes.empty()) {  // a connection's, that has closed
      agent_.on_path_closed(path);
      ASSERT(!agent_.is_validated(path) && agent_.selected() != path);
    }
    if (!stun::is_stun(bytes)) return;
    agent_.on_datagram(now_, path, bytes, out_);
    sent();
  }
  void pass(Duration duration) {
    const Instant end = now_.mono + duration;
    // Checks are paced and timers end: what is due comes to a stop within a bounded number of turns.
    for (int turns = 0; agent_.next_timeout() <= end; ++turns) {
      ASSERT(turns < 5'000);
      now_.mono = std::max(now_.mono, agent_.next_timeout());
      agent_.on_timeout(now_, out_);
      sent();
    }
    now_.mono = end;
    if (agent_.selected()) ASSERT(agent_.is_validated(*agent_.selected()));
    ASSERT(!agent_.selected() || agent_.state() == ice::State::kConnected);
  }
  // Remembers what the agent asks, so that it can be answered.
  void sent() {
    ASSERT(out_.entries().size() <= 2 * ice::kMaxPairs);
    for (const auto& entry : out_.entries()) {
      const auto message = stun::parse_message(out_.bytes(entry));
      ASSERT(message && message->fingerprint == stun::Fingerprint::kRight);
      if (message->message_class != stun::Class::kRequest) continue;
      asked_[asked_at_] = {message->id, entry.path};
      asked_at_ = (asked_at_ + 1) % asked_.size();
      asked_count_ = std::max(asked_count_, asked_at_ == 0 ? asked_.size() : asked_at_);
    }
    out_.clear();
  }

  struct Asked {
    stun::TransactionId id;
    Path path;
  };
  SeededRng rng_;
  ice::Agent agent_;
  ice::Credentials remote_;
  Now now_{Instant{} + 1h, WallTime{}};
  SendBatch out_;
  std::array<Asked, 32> asked_{};
  size_t asked_at_ = 0;
  size_t asked_count_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader in({data, size});
  const uint8_t role = in.u8();
  Harness harness(static_cast<ice::Role>(role % 3), role);
  for (int steps = 0; in.left() > 0 && steps < 400; ++steps) harness.step(in);
  return 0;
}

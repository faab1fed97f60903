#include "core/turn/turn_client.h"

#include <algorithm>

namespace atm::turn {
namespace {

using stun::Attribute;

constexpr uint32_t kUdpProtocol = 17u << 24;  // REQUESTED-TRANSPORT, RFC 8656 18.7
constexpr uint32_t kIpv6Family = 2u << 24;    // REQUESTED-ADDRESS-FAMILY, RFC 8656 18.6
constexpr uint16_t kTryAlternate = 300, kUnauthenticated = 401, kAllocationMismatch = 437, kStaleNonce = 438;

uint32_t seconds(Duration duration) {
  return static_cast<uint32_t>(duration / 1s);
}

// A reason phrase is the server's: what of it is printable, and not too much.
std::string printable(std::string_view reason) {
  constexpr size_t kMaxReason = 100;
  std::string out;
  for (const char c : reason.substr(0, kMaxReason)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

TurnClient::TurnClient(const TurnConfig& config, Rng& rng)
    : config_(config), link_(config.server, Credentials(config.username, config.credential), rng) {}

void TurnClient::start(Now now, TurnOutput& out) {
  if (state_ != State::kNew) return;
  if (config_.username.size() > kMaxUsername) return fail(0, "has a user name of more than 508 bytes", out);
  state_ = State::kAllocating;
  ask(now, Asked::kAllocate, out);  // RFC 8489 9.2.3: without credentials, to be told realm and nonce
}

void TurnClient::ask(Now now, Asked what, TurnOutput& out) {
  asked_ = what;
  const bool is_end = what == Asked::kRelease || what == Asked::kRemoveOld;
  const auto write = [&](stun::MessageWriter& writer) {
    if (what == Asked::kAllocate) {
      writer.number(Attribute::kRequestedTransport, kUdpProtocol);
      if (config_.wants_v6) writer.number(Attribute::kRequestedAddressFamily, kIpv6Family);
    }
    writer.number(Attribute::kLifetime, is_end ? 0 : seconds(kAllocationLifetime));
  };
  link_.ask(now.mono, transaction_, what == Asked::kAllocate ? stun::kAllocate : stun::kRefresh, write, out.to_server,
            what == Asked::kRelease ? kReleaseSends : kRequestSends);
}

bool TurnClient::on_datagram(Now now, const Datagram& datagram, TurnOutput& out) {
  if (link_.is_stream() || state_ == State::kNew || state_ == State::kEnded) return false;
  if (datagram.path.remote != link_.path.remote || datagram.path.local != link_.path.local) return false;
  const bool is_message = stun::is_stun(datagram.bytes);
  // A Binding is not of this client's: the STUN client's, or an ICE check of a peer at this very address.
  if (is_message ? load_u16(datagram.bytes.data()) % 16 == stun::kBinding : !is_channel_data(datagram.bytes)) {
    return false;
  }
  take_frame(now, datagram.arrived, datagram.bytes, out);
  return true;
}

void TurnClient::on_stream_bytes(Now now, MutByteView bytes, TurnOutput& out) {
  if (state_ == State::kNew || state_ == State::kEnded) return;
  split_.clear();
  const bool is_well_formed = frames_.read(bytes, split_);
  for (const MutByteView frame : split_) {
    if (state_ != State::kEnded) take_frame(now, now.mono, frame, out);
  }
  if (!is_well_formed) fail(0, "sent what is not TURN", out);
}

void TurnClient::on_stream_closed(const std::string& why, TurnOutput& out) {
  if (state_ == State::kClosing) return end();
  fail(0, why, out);
}

void TurnClient::take_frame(Now now, Instant arrived, MutByteView frame, TurnOutput& out) {
  if (is_channel_data(frame)) return on_channel_data(arrived, frame, out);
  const auto message = stun::parse_message(frame);
  if (!message) {
    ++link_.counters.malformed;
    return;
  }
  switch (message->message_class) {
    case stun::Class::kIndication:
      return on_indication(arrived, frame, *message, out);
    case stun::Class::kSuccess:
    case stun::Class::kError:
      return on_answer(now, *message, out);
    case stun::Class::kRequest:
      ++link_.counters.unexpected_message;
  }
}

void TurnClient::on_channel_data(Instant arrived, MutByteView frame, TurnOutput& out) {
  const size_t size = load_u16(frame.data() + 2);
  if (size > frame.size() - kChannelHeaderSize) {  // RFC 8656 12.6
    ++link_.counters.malformed;
    return;
  }
  const auto peer = peers_.find_by_channel(load_u16(frame.data()));
  if (!peer || state_ != State::kAllocated) {
    ++link_.counters.unexpected_message;
    return;
  }
  ++link_.counters.received_by_channel;
  out.received.push_back({path_of(*peer), arrived, frame.subspan(kChannelHeaderSize, size)});
}

void TurnClient::on_indication(Instant arrived, MutByteView frame, const stun::Message& message, TurnOutput& out) {
  const auto peer = message.find_xor_address(Attribute::kXorPeerAddress);
  const auto data = message.find(Attribute::kData);
  if (message.method != stun::kDataIndication || !peer || !data || state_ != State::kAllocated) {
    ++link_.counters.unexpected_message;
    return;
  }
  ++link_.counters.received_by_indication;
  const auto at = static_cast<size_t>(data->data() - frame.data());
  out.received.push_back({path_of(*peer), arrived, frame.subspan(data->empty() ? 0 : at, data->size())});
}

void TurnClient::on_answer(Now now, const stun::Message& message, TurnOutput& out) {
  if (!link_.is_authentic(message)) {
    ++link_.counters.bad_integrity;
    return;
  }
  if (!transaction_.owns(message.id)) {
    const auto answer = peers_.on_answer(now.mono, message, out.to_server);
    if (answer.outcome == RelayPeers::Outcome::kUnknown) ++link_.counters.unexpected_message;
    if (answer.outcome == RelayPeers::Outcome::kAllocationLost) fail(kAllocationMismatch, text_of_error(message), out);
    if (answer.outcome == RelayPeers::Outcome::kRefused) {
      out.events.push_back(PeerRefused{answer.peer, to_text(config_.url) + " does not relay to " +
                                                        answer.peer.to_string() + " (" +
                                                        std::to_string(error_code_of(message)) + ')'});
    }
    return;
  }
  transaction_.end();
  if (message.message_class == stun::Class::kSuccess) {
    ++link_.counters.responses;
    challenges_ = 0;
    return on_success(now, message, out);
  }
  ++link_.counters.errors_received;
  on_error(now, message, out);
}

void TurnClient::on_success(Now now, const stun::Message& message, TurnOutput& out) {
  if (asked_ == Asked::kRelease) return end();
  if (asked_ == Asked::kRemoveOld) return ask(now, Asked::kAllocate, out);
  const auto lifetime = message.find(Attribute::kLifetime);
  Duration given = kAllocationLifetime;
  if (lifetime && lifetime->size() == 4) given = 1s * load_u32(lifetime->data());
  refresh_at_ = now.mono + std::max<Duration>(1s, given > 2 * kRefreshAhead ? given - kRefreshAhead : given / 2);
  if (asked_ == Asked::kRefresh) return;
  const auto relayed = message.find_xor_address(Attribute::kXorRelayedAddress);
  if (!relayed || relayed->port == 0 || relayed->ip.is_unspecified()) {
    return fail(0, "gave no relayed address", out);
  }
  state_ = State::kAllocated;
  relayed_ = relayed;
  out.events.push_back(Allocated{*relayed, message.xor_mapped_address.value_or(*relayed)});
}

void TurnClient::on_error(Now now, const stun::Message& message, TurnOutput& out) {
  const uint16_t code = error_code_of(message);
  const bool is_first = code == kUnauthenticated && !link_.credentials.is_challenged() && link_.credentials.are_given();
  if ((is_first || code == kStaleNonce) && challenges_ < kMaxChallenges && link_.credentials.on_challenge(message)) {
    ++challenges_;
    return ask(now, asked_, out);
  }
  if (state_ == State::kClosing) return end();
  if (code == kTryAlternate && redirect(now, message, out)) return;
  // RFC 8656 7.2: this address and port have an allocation already, of a client that ended without giving it back.
  if (code == kAllocationMismatch && asked_ == Asked::kAllocate && !removed_old_) {
    removed_old_ = true;
    return ask(now, Asked::kRemoveOld, out);
  }
  fail(code, text_of_error(message), out);
}

// RFC 8489 10. Over a stream it would take another connection, and over TLS its name is not the one that was verified.
bool TurnClient::redirect(Now now, const stun::Message& message, TurnOutput& out) {
  const auto value = message.find(Attribute::kAlternateServer);
  const auto server = value ? stun::parse_plain_address(*value) : std::nullopt;
  if (!server || link_.is_stream() || asked_ != Asked::kAllocate || redirects_ == kMaxRedirects) return false;
  if (server->ip.is_v4() != link_.path.remote.ip.is_v4() || server->port == 0 || *server == link_.path.remote) {
    return false;
  }
  ++redirects_;
  link_.path.remote = *server;
  link_.credentials.forget();
  ask(now, Asked::kAllocate, out);
  return true;
}

std::string TurnClient::text_of_error(const stun::Message& message) const {
  const uint16_t code = error_code_of(message);
  const std::string number = " (" + std::to_string(code) + ')';
  switch (code) {
    case kTryAlternate:
      return "sends its clients to another server that cannot be used" + number;
    case kUnauthenticated:
      if (!link_.credentials.are_given()) return "asks for a user name and a credential, and there are none" + number;
      return "refused the credentials" + number;
    case 403:
      return "forbids this client to have an address relayed" + number;
    case kAllocationMismatch:
      if (state_ == State::kAllocated) return "has lost the allocation" + number;
      return "has another allocation for this client's port" + number;
    case kStaleNonce:
      return "calls each of its nonces stale" + number;
    case 440:
      return std::string("relays no addresses of IPv") + (config_.wants_v6 ? '6' : '4') + number;
    case 441:
      return "has an allocation of other credentials for this client's port" + number;
    case 442:
      return "does not relay UDP" + number;
    case 486:
      return "lets this user have no more allocations" + number;
    case 508:
      return "has no address or port left to relay" + number;
    default:
      break;
  }
  return "answered with error " + std::to_string(code) + (message.error ? ' ' + printable(message.error->reason) : "");
}

void TurnClient::fail(uint16_t code, const std::string& why, TurnOutput& out) {
  if (state_ == State::kEnded) return;
  end();
  out.events.push_back(Failed{code, to_text(config_.url) + ' ' + why});
}

void TurnClient::end() {
  state_ = State::kEnded;
  relayed_.reset();
  transaction_.end();
  peers_.clear();
  refresh_at_ = kNever;
}

void TurnClient::wrap(Now now, const SocketAddress& peer, ByteView datagram, TurnOutput& out) {
  if (state_ != State::kAllocated || datagram.size() > kMaxDatagramSize) {
    ++link_.counters.dropped_idle;
    return;
  }
  peers_.send(now.mono, peer, datagram, out.to_server);
}

void TurnClient::close(Now now, TurnOutput& out) {
  if (state_ == State::kClosing) return;
  if (state_ != State::kAllocated) return end();
  end();
  state_ = State::kClosing;
  ask(now, Asked::kRelease, out);
}

void TurnClient::on_timeout(Now now, TurnOutput& out) {
  switch (transaction_.on_timeout(now.mono)) {
    case Transaction::Due::kSendAgain:
      link_.send_again(transaction_, out.to_server);
      break;
    case Transaction::Due::kGivenUp:
      ++link_.counters.timeouts;
      if (state_ == State::kClosing) return end();
      return fail(0, "does not answer", out);
    case Transaction::Due::kNothing:
      break;
  }
  if (state_ != State::kAllocated) return;
  if (now.mono >= refresh_at_) {
    refresh_at_ = kNever;  // the answer sets it
    ask(now, Asked::kRefresh, out);
  }
  peers_.on_timeout(now.mono, out.to_server);
}

Instant TurnClient::next_timeout() const {
  return std::min({transaction_.next_timeout(), refresh_at_, peers_.next_timeout()});
}

}  // namespace atm::turn

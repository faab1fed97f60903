#include "core/sctp/stream_reset.h"

#include <algorithm>
#include <utility>

#include "core/sctp/limits.h"

namespace atm::sctp {
namespace {

// Streams in one request of ours: more than there are channels.
constexpr size_t kMaxRequestStreams = 64;
// Doublings of the time between two tries, enough for any to reach kRtoMax.
constexpr uint32_t kMaxBackoff = 8;

}  // namespace

void StreamReset::start(uint32_t local_initial_tsn, uint32_t peer_initial_tsn) {
  next_sequence_ = local_initial_tsn;
  expected_ = peer_initial_tsn;
}

ReconfigParameter StreamReset::answer(uint32_t sequence, ReconfigResult result) const {
  ReconfigParameter out;
  out.type = ReconfigType::kResponse;
  out.sequence = sequence;
  out.result = result;
  return out;
}

StreamReset::Done StreamReset::on_parameter(const ReconfigParameter& parameter) {
  switch (parameter.type) {
    case ReconfigType::kResponse:
      return on_response(parameter);
    case ReconfigType::kOutgoingReset:
      return on_outgoing_reset(parameter);
    default:
      break;
  }
  Done done;
  if (parameter.sequence == expected_) {
    ++expected_;
    last_result_ = ReconfigResult::kDenied;
  }
  const bool is_last = parameter.sequence == expected_ - 1;
  done.response = answer(parameter.sequence, is_last ? last_result_ : ReconfigResult::kBadSequence);
  return done;
}

StreamReset::Done StreamReset::on_outgoing_reset(const ReconfigParameter& request) {
  const bool is_again = request.sequence == expected_ - 1;
  Done done;
  if (request.sequence != expected_ && !is_again) {
    done.response = answer(request.sequence, ReconfigResult::kBadSequence);
    return done;
  }
  // RFC 6525 5.2.1: a repeated request gets the same answer, unless that was "in progress".
  if (is_again && last_result_ != ReconfigResult::kInProgress) {
    done.response = answer(request.sequence, last_result_);
    return done;
  }
  expected_ = request.sequence + 1;
  Deferred deferred{request.sequence, request.last_tsn, {}};
  for (size_t i = 0; i < request.stream_count(); ++i) deferred.streams.push_back(request.stream(i));
  deferred_ = std::move(deferred);
  if (receiver_.has_all_to(request.last_tsn)) return perform();
  // RFC 6525 5.2.2 E2: data before the reset is still missing.
  receiver_.defer_above(request.last_tsn);
  last_result_ = ReconfigResult::kInProgress;
  done.response = answer(request.sequence, last_result_);
  return done;
}

StreamReset::Done StreamReset::on_data() {
  if (!deferred_ || !receiver_.has_all_to(deferred_->last_tsn)) return {};
  return perform();
}

StreamReset::Done StreamReset::perform() {
  Done done;
  receiver_.stop_deferring();
  receiver_.reset_streams(deferred_->streams);
  last_result_ = ReconfigResult::kPerformed;
  done.response = answer(deferred_->sequence, last_result_);
  done.reset_by_peer = std::move(deferred_->streams);
  deferred_.reset();
  return done;
}

StreamReset::Done StreamReset::on_response(const ReconfigParameter& response) {
  Done done;
  if (request_.empty() || response.sequence != next_sequence_) return done;
  if (response.result == ReconfigResult::kInProgress) {
    // Alive, and waiting for data of other streams. Asked again when the timer says so, under a new number as dcsctp
    // does: usrsctp answers a repeated one "in progress" for ever, also when it has been performed.
    ++next_sequence_;
    tries_ = 0;
    return done;
  }
  // Done, or refused: then the numbers go on, which the peer expects as well.
  if (response.result == ReconfigResult::kPerformed) {
    for (const uint16_t stream : request_) sender_.reset_stream(stream);
  }
  ++next_sequence_;
  tries_ = 0;
  resend_at_ = kNever;
  done.outgoing_reset = std::move(request_);
  request_.clear();
  return done;
}

bool StreamReset::is_resetting(uint16_t stream) const {
  return wanted_.contains(stream) || std::find(request_.begin(), request_.end(), stream) != request_.end();
}

bool StreamReset::has_request_due(Now now) const {
  if (!request_.empty()) return resend_at_ <= now.mono;
  return std::any_of(wanted_.begin(), wanted_.end(), [this](uint16_t s) { return sender_.is_drained(s); });
}

bool StreamReset::write_request(Now now, PacketWriter& packet) {
  if (!has_request_due(now)) return false;
  if (request_.empty()) {
    for (auto it = wanted_.begin(); it != wanted_.end() && request_.size() < kMaxRequestStreams;) {
      if (!sender_.is_drained(*it)) {
        ++it;
        continue;
      }
      request_.push_back(*it);
      it = wanted_.erase(it);
    }
    request_last_tsn_ = sender_.last_assigned_tsn();
  }
  Bytes streams(2 * request_.size());
  for (size_t i = 0; i < request_.size(); ++i) store_u16(streams.data() + 2 * i, request_[i]);
  ReconfigParameter parameter;
  parameter.type = ReconfigType::kOutgoingReset;
  parameter.sequence = next_sequence_;
  parameter.response_sequence = expected_ - 1;
  parameter.last_tsn = request_last_tsn_;
  parameter.stream_bytes = streams;
  write_reconfig(packet, parameter);
  // Backed off as T3 is (RFC 6525 5.1.1), for an outage that a session survives must not end the association.
  resend_at_ = now.mono + std::min(sender_.rto() * (int64_t{1} << std::min(tries_, kMaxBackoff)), kRtoMax);
  ++tries_;
  return true;
}

}  // namespace atm::sctp

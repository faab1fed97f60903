#include "control/token/claims.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "control/token/jws.h"

namespace atm::token {
namespace {

using nlohmann::json;

constexpr std::pair<std::string_view, Protocol> kProtocols[] = {
    {"Webrtc", Protocol::kWebrtc}, {"Whip", Protocol::kWhip}, {"Whep", Protocol::kWhep}};

// RFC 7519 2: a NumericDate may have a fraction. Year 9999, so that microseconds fit an int64 with room.
constexpr double kMaxUnixSeconds = 253'402'300'799;

// Reads claims of an object that our secret has signed: types are checked, sizes need not be.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  bool ok() const { return ok_; }
  void fail() { ok_ = false; }

  const json* find(std::string_view name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  std::optional<std::string> text(std::string_view name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
      ok_ = false;
      return std::nullopt;
    }
    return value->get<std::string>();
  }
  // A right that is not written down is no right, unless the protocol itself gives it.
  bool right(std::string_view name, std::optional<bool> by_protocol) {
    const json* value = find(name);
    if (value == nullptr && by_protocol) return *by_protocol;
    if (value == nullptr || !value->is_boolean()) {
      ok_ = false;
      return false;
    }
    return value->get<bool>();
  }
  std::optional<double> number(std::string_view name, double limit) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : -1;
    if (!(number >= 0 && number <= limit)) {
      ok_ = false;
      return std::nullopt;
    }
    return number;
  }
  std::optional<WallTime> date(std::string_view name, double per_second) {
    const std::optional<double> units = number(name, kMaxUnixSeconds * per_second);
    if (!units) return std::nullopt;
    return WallTime(Duration(static_cast<int64_t>(*units * (1e6 / per_second))));
  }

 private:
  const json& object_;
  bool ok_ = true;
};

std::optional<Claims> parse_claims(std::string_view payload) {
  const json document = json::parse(payload.begin(), payload.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return std::nullopt;
  Reader reader(document);

  Claims out;
  const std::string protocol = reader.text("protocol").value_or("");
  bool known = false;
  for (const auto& [text, value] : kProtocols) {
    if (text != protocol) continue;
    out.protocol = value;
    known = true;
  }
  if (!known) return std::nullopt;
  std::optional<bool> publish;
  std::optional<bool> subscribe;
  if (out.protocol != Protocol::kWebrtc) {
    publish = out.protocol == Protocol::kWhip;
    subscribe = out.protocol == Protocol::kWhep;
  }
  out.room = reader.text("room");
  out.peer = reader.text("peer");
  out.publish = reader.right("publish", publish);
  out.subscribe = reader.right("subscribe", subscribe);
  out.issued_at = reader.date("ts", 1000).value_or(WallTime{});
  out.expires_at = reader.date("exp", 1);
  out.not_before = reader.date("nbf", 1);
  out.id = reader.text("jti").value_or("");
  out.app = reader.text("app").value_or("");
  out.max_bitrate_bps = static_cast<uint64_t>(reader.number("max_bitrate", 1e15).value_or(0));
  out.metadata = reader.text("metadata").value_or("");
  if (!reader.ok()) return std::nullopt;
  return out;
}

}  // namespace

std::string issue(const Claims& claims, std::string_view secret) {
  nlohmann::ordered_json out;
  if (claims.room) out["room"] = *claims.room;
  if (claims.peer) out["peer"] = *claims.peer;
  for (const auto& [text, value] : kProtocols) {
    if (value == claims.protocol) out["protocol"] = text;
  }
  out["publish"] = claims.publish;
  out["subscribe"] = claims.subscribe;
  out["ts"] = claims.issued_at.time_since_epoch() / 1ms;
  if (claims.expires_at) out["exp"] = unix_seconds(*claims.expires_at);
  if (claims.not_before) out["nbf"] = unix_seconds(*claims.not_before);
  if (!claims.id.empty()) out["jti"] = claims.id;
  if (!claims.app.empty()) out["app"] = claims.app;
  if (claims.max_bitrate_bps != 0) out["max_bitrate"] = claims.max_bitrate_bps;
  if (!claims.metadata.empty()) out["metadata"] = claims.metadata;
  return write_jws(out.dump(-1, ' ', false, json::error_handler_t::replace), secret);
}

Result<Claims> verify(std::string_view jwt, std::string_view secret, Now now, Protocol expected) {
  const std::optional<std::string> payload = open_jws(jwt, secret);
  if (!payload) return fail(ErrorCode::kInvalidToken, "the token is missing, malformed or not signed by this server");
  std::optional<Claims> claims = parse_claims(*payload);
  if (!claims) return fail(ErrorCode::kInvalidToken, "the token has a claim missing or of the wrong type");
  if (claims->protocol != expected) return fail(ErrorCode::kInvalidToken, "the token is for another protocol");
  // RFC 7519 4.1.4: on or after `exp` it must not be accepted.
  if (claims->expires_at && now.wall >= *claims->expires_at) {
    return fail(ErrorCode::kInvalidToken, "the token has expired");
  }
  if (claims->not_before && now.wall < *claims->not_before) {
    return fail(ErrorCode::kInvalidToken, "the token is not valid yet");
  }
  return std::move(*claims);
}

Result<contract::Grant> authorize(const Claims& claims, std::string_view room, std::string_view peer) {
  if (claims.room && *claims.room != room) return fail(ErrorCode::kInvalidToken, "the token is for another room");
  if (claims.peer && *claims.peer != peer) return fail(ErrorCode::kInvalidToken, "the token is for another peer");
  return contract::Grant{claims.publish,         claims.subscribe, claims.expires_at,
                         claims.max_bitrate_bps, claims.id,        claims.metadata};
}

Claims claims_for(const contract::TokenRequest& request, Now now, std::string id) {
  Claims out;
  out.room = request.room;
  out.peer = request.peer;
  switch (request.kind) {
    case contract::TokenKind::kWebrtc:
      out.protocol = Protocol::kWebrtc;
      break;
    case contract::TokenKind::kWhip:
      out.protocol = Protocol::kWhip;
      break;
    case contract::TokenKind::kWhep:
      out.protocol = Protocol::kWhep;
      break;
  }
  out.publish = request.publish;
  out.subscribe = request.subscribe;
  out.issued_at = now.wall;
  if (request.expires_in) out.expires_at = now.wall + *request.expires_in;
  out.id = std::move(id);
  return out;
}

}  // namespace atm::token

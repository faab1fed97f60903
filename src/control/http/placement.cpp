#include "control/http/placement.h"

#include <charconv>
#include <cstdint>

#include "base/assert.h"

namespace atm::control {

size_t worker_of_room(std::string_view room, size_t worker_count) {
  ASSERT(worker_count > 0);
  uint64_t hash = 14'695'981'039'346'656'037u;  // FNV-1a (RFC 9923), 64 bits
  for (const char c : room) hash = (hash ^ static_cast<uint8_t>(c)) * 1'099'511'628'211u;
  // FNV's low bits see little of the last letters of short names: fold the high ones in.
  return static_cast<size_t>((hash ^ hash >> 32) % worker_count);
}

std::optional<size_t> worker_of_conn(std::string_view conn_id, size_t worker_count) {
  constexpr size_t kSecretDigits = 32;   // 128 bits
  constexpr size_t kSessionDigits = 16;  // 64 bits
  const size_t dash = conn_id.find('-');
  const size_t last = conn_id.rfind('-');
  if (dash == std::string_view::npos || conn_id.size() - last - 1 != kSecretDigits) return std::nullopt;
  if (last <= dash + 1 || last - dash - 1 > kSessionDigits) return std::nullopt;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  for (size_t i = dash + 1; i < conn_id.size(); ++i) {
    if (i != last && !is_hex(conn_id[i])) return std::nullopt;
  }
  size_t worker = 0;
  const char* end = conn_id.data() + dash;
  const auto [at, error] = std::from_chars(conn_id.data(), end, worker);
  if (error != std::errc() || at != end || worker >= worker_count) return std::nullopt;
  if (dash > 1 && conn_id[0] == '0') return std::nullopt;  // one spelling only
  return worker;
}

}  // namespace atm::control

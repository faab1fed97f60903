// Log facade: a line with a level, a component and ids. Logic calls it for rare facts of a session's life, never per
// packet (those are counters). io/log installs the sink; without one nothing is printed. The sink decides on format
// (text or JSON), level and rate. Tokens and secrets are never given to it.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace atm {

enum class LogLevel : uint8_t { kError, kWarn, kInfo, kDebug };

using LogSink = void (*)(LogLevel level, std::string_view component, std::string_view line);

// Process-wide, set once before any thread starts.
void set_log_sink(LogSink sink, LogLevel level);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view component, std::string_view line);

}  // namespace atm

// LOG_INFO("session", "room={} peer={} connected", room, peer)
#define LOG_AT(level, component, ...) \
  (::atm::log_enabled(level) ? ::atm::log_line(level, component, fmt::format(__VA_ARGS__)) : void(0))
#define LOG_ERROR(component, ...) LOG_AT(::atm::LogLevel::kError, component, __VA_ARGS__)
#define LOG_WARN(component, ...) LOG_AT(::atm::LogLevel::kWarn, component, __VA_ARGS__)
#define LOG_INFO(component, ...) LOG_AT(::atm::LogLevel::kInfo, component, __VA_ARGS__)
#define LOG_DEBUG(component, ...) LOG_AT(::atm::LogLevel::kDebug, component, __VA_ARGS__)

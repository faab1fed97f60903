// Where log lines go: standard error, as text for people or as one JSON object a line for machines. Installed once by
// apps/server before any thread starts; called through base/log.h from every thread.
// A component that floods is cut at so many lines a second, and what was cut is counted and said. A line is written
// whole; control characters inside of it are escaped, so no peer can forge a line or talk to a terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace atm::io {

enum class LogFormat : uint8_t { kText, kJson };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;
  uint32_t lines_per_second = 200;  // of each component
};

void install_log(const LogOptions& options);

// One line with its line feed. Text: `2026-01-31T12:00:00.123Z INFO  session room=a connected`.
std::string write_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view component,
                           std::string_view line);

// What install_log makes: the formatter behind the limit, with clocks and output given. Thread-safe.
class LogWriter {
 public:
  // Components beyond this many share one limit: their names are literals, this is a net.
  static constexpr size_t kComponentsMax = 64;

  LogWriter(LogOptions options, std::function<void(std::string_view)> output)
      : options_(options), output_(std::move(output)) {}

  void write(Now now, LogLevel level, std::string_view component, std::string_view line);

 private:
  struct Window {
    Instant start;
    uint32_t lines = 0;
    uint64_t dropped = 0;
  };
  void report_dropped(Now now);

  const LogOptions options_;
  const std::function<void(std::string_view)> output_;
  std::mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_;
  bool has_dropped_ = false;
};

}  // namespace atm::io

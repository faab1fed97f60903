#include "io/log/log.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <memory>

namespace atm::io {
namespace {

constexpr Duration kWindow = 1s;

std::string_view level_text(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kDebug:
      return "DEBUG";
  }
  return "ERROR";
}

// RFC 3339, UTC, milliseconds.
std::string time_text(WallTime time) {
  const time_t seconds = unix_seconds(time);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time.time_since_epoch() / 1ms % 1000);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// For text: C0 controls as \xNN. Bytes above 0x7f stay: names are UTF-8, checked where they came in.
std::string escaped_text(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  for (const char c : line) {
    if (is_control(c)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

// RFC 8259 7.
std::string escaped_json(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  for (const char c : line) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(c)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // nobody is there to be told
    text.remove_prefix(static_cast<size_t>(written));
  }
}

Now read_log_clocks() {
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant(std::chrono::duration_cast<Duration>(mono)), WallTime(std::chrono::duration_cast<Duration>(wall))};
}

// Lives for ever: threads may log until the process ends.
LogWriter* g_writer = nullptr;

}  // namespace

void install_log(const LogOptions& options) {
  delete g_writer;
  g_writer = new LogWriter(options, write_stderr);
  set_log_sink([](LogLevel level, std::string_view component,
                  std::string_view line) { g_writer->write(read_log_clocks(), level, component, line); },
               options.level);
}

std::string write_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view component,
                           std::string_view line) {
  if (format == LogFormat::kText) {
    return fmt::format("{} {:<5} {} {}\n", time_text(time), level_text(level), component, escaped_text(line));
  }
  std::string name(level_text(level));
  for (char& c : name) c = static_cast<char>(c + 32);
  return fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"component\":\"{}\",\"message\":\"{}\"}}\n", time_text(time),
                     name, escaped_json(component), escaped_json(line));
}

void LogWriter::write(Now now, LogLevel level, std::string_view component, std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (has_dropped_) report_dropped(now);
  auto it = windows_.find(component);
  if (it == windows_.end()) {
    if (windows_.size() >= kComponentsMax) component = "other";
    it = windows_.try_emplace(std::string(component), Window{now.mono, 0, 0}).first;
  }
  Window& window = it->second;
  if (now.mono - window.start >= kWindow) {
    window.start = now.mono;
    window.lines = 0;
  }
  if (window.lines >= options_.lines_per_second) {
    ++window.dropped;
    has_dropped_ = true;
    return;
  }
  ++window.lines;
  output_(write_log_line(options_.format, now.wall, level, component, line));
}

// Of every component whose second is over, with the next line of any: a flood that ends in silence is still told.
void LogWriter::report_dropped(Now now) {
  has_dropped_ = false;
  for (auto& [component, window] : windows_) {
    if (window.dropped == 0) continue;
    if (now.mono - window.start < kWindow) {
      has_dropped_ = true;
      continue;
    }
    output_(write_log_line(options_.format, now.wall, LogLevel::kWarn, component,
                           fmt::format("{} lines dropped", window.dropped)));
    window.dropped = 0;
  }
}

}  // namespace atm::io

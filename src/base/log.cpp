#include "base/log.h"

namespace atm {
namespace {
LogSink g_sink = nullptr;
LogLevel g_level = LogLevel::kError;
}  // namespace

void set_log_sink(LogSink sink, LogLevel level) {
  g_sink = sink;
  g_level = level;
}

bool log_enabled(LogLevel level) {
  return g_sink != nullptr && level <= g_level;
}

void log_line(LogLevel level, std::string_view component, std::string_view line) {
  g_sink(level, component, line);
}

}  // namespace atm

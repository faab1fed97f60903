#include "io/log/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace atm::io {
namespace {

constexpr WallTime kTime{1'769'860'800'123'456us};

TEST(LogLine, IsForPeopleOrForMachines) {
  EXPECT_EQ(write_log_line(LogFormat::kText, kTime, LogLevel::kInfo, "session", "room=phòng connected"),
            "2026-01-31T12:00:00.123Z INFO  session room=phòng connected\n");
  const std::string line = write_log_line(LogFormat::kJson, kTime, LogLevel::kWarn, "ice", "peer=\"a\\b\"\n\x1b[2J");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(json["level"], "warn");
  EXPECT_EQ(json["component"], "ice");
  EXPECT_EQ(json["message"], "peer=\"a\\b\"\n\x1b[2J");
}

TEST(LogLine, CannotBeForged) {
  EXPECT_EQ(write_log_line(LogFormat::kText, kTime, LogLevel::kError, "x", "a\nb\x1b[2J\x7f"),
            "2026-01-31T12:00:00.123Z ERROR x a\\x0ab\\x1b[2J\\x7f\n");
}

class LogWriterTest : public ::testing::Test {
 protected:
  void write(Duration at, std::string_view component, std::string_view line = "l") {
    writer_.write({Instant(at), kTime}, LogLevel::kInfo, component, line);
  }
  size_t count(std::string_view text) const {
    size_t n = 0;
    for (const std::string& line : lines_) n += line.find(text) != std::string::npos;
    return n;
  }

  std::vector<std::string> lines_;
  LogWriter writer_{{LogFormat::kText, LogLevel::kInfo, 3},
                    [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(LogWriterTest, CutsAFloodOfOneComponentAndCountsIt) {
  for (int i = 0; i < 10; ++i) write(0s, "noisy");
  write(500ms, "quiet");
  EXPECT_EQ(count(" noisy "), 3u);
  EXPECT_EQ(count(" quiet "), 1u);
  EXPECT_EQ(count("dropped"), 0u);
  write(1s, "quiet");  // any component's next line tells it
  EXPECT_EQ(count("noisy 7 lines dropped"), 1u);
  write(1s, "noisy");
  EXPECT_EQ(count("dropped"), 1u);
  EXPECT_EQ(count(" noisy l"), 4u);
}

// What one peer can provoke in ten seconds, if some line of ours is written for each of its packets.
TEST(LogWriter, WritesSoManyLinesASecondHoweverManyThereAre) {
  size_t written = 0, reports = 0;
  uint64_t dropped = 0;
  LogWriter writer({LogFormat::kText, LogLevel::kInfo}, [&](std::string_view line) {
    const size_t told = line.find(" lines dropped");
    written += told == std::string_view::npos;
    if (told == std::string_view::npos) return;
    ++reports;
    dropped += std::stoull(std::string(line.substr(line.rfind(' ', told - 1) + 1)));
  });
  constexpr size_t kLines = 1'000'000, kSeconds = 10;
  for (size_t i = 0; i < kLines; ++i) {
    writer.write({Instant(Duration(i * kSeconds * 1'000'000 / kLines)), kTime}, LogLevel::kWarn, "peer", "line");
  }
  writer.write({Instant{30s}, kTime}, LogLevel::kWarn, "other", "line");  // the last second's is told later, too
  EXPECT_EQ(written, kSeconds * LogOptions{}.lines_per_second + 1);
  EXPECT_LE(reports, kSeconds);
  EXPECT_EQ(written + dropped, kLines + 1);
}

TEST_F(LogWriterTest, HoldsABoundedNumberOfComponents) {
  for (int i = 0; i < 200; ++i) write(0s, "c" + std::to_string(i));
  EXPECT_EQ(lines_.size(), LogWriter::kComponentsMax + 3);
  EXPECT_EQ(count(" other "), 3u);
}

TEST(LogWriter, WritesWholeLinesFromManyThreads) {
  std::vector<std::string> lines;
  LogWriter writer({LogFormat::kText, LogLevel::kInfo, 1000}, [&](std::string_view line) { lines.emplace_back(line); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) writer.write({Instant{}, kTime}, LogLevel::kInfo, "t", "line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines.size(), 400u);
}

}  // namespace
}  // namespace atm::io

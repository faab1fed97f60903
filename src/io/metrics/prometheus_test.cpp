#include "io/metrics/prometheus.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atm::io {
namespace {

using contract::Stats;

TEST(Prometheus, SumsWorkersByNameAndLabels) {
  const Stats one{{{"atm0s_sessions", "Sessions now.", false, "", 2},
                   {"atm0s_dropped_total", "Dropped packets.", true, "reason=\"bad_mac\"", 5},
                   {"atm0s_dropped_total", "Dropped packets.", true, "reason=\"replay\"", 1}}};
  const Stats two{{{"atm0s_dropped_total", "Dropped packets.", true, "reason=\"bad_mac\"", 1e10},
                   {"atm0s_sessions", "Sessions now.", false, "", 3},
                   {"atm0s_load", "A \\ and\na line.", false, "", 0.25}}};
  const Stats workers[] = {one, two};
  EXPECT_EQ(write_prometheus(workers),
            "# HELP atm0s_sessions Sessions now.\n"
            "# TYPE atm0s_sessions gauge\n"
            "atm0s_sessions 5\n"
            "# HELP atm0s_dropped_total Dropped packets.\n"
            "# TYPE atm0s_dropped_total counter\n"
            "atm0s_dropped_total{reason=\"bad_mac\"} 10000000005\n"
            "atm0s_dropped_total{reason=\"replay\"} 1\n"
            "# HELP atm0s_load A \\\\ and\\na line.\n"
            "# TYPE atm0s_load gauge\n"
            "atm0s_load 0.25\n");
}

TEST(Prometheus, WritesNothingForNothingAndNamesTheInfinite) {
  EXPECT_EQ(write_prometheus({}), "");
  const Stats odd[] = {{{{"x", "h", false, "", INFINITY}, {"y", "h", false, "", NAN}}}};
  const std::string text = write_prometheus(odd);
  EXPECT_NE(text.find("x +Inf\n"), std::string::npos);
  EXPECT_NE(text.find("y NaN\n"), std::string::npos);
}

}  // namespace
}  // namespace atm::io

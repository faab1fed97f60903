#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>

#include "trial.h"

namespace atm0s::rfc8867 {
namespace {

class Rfc8867 : public testing::TestWithParam<Scenario> {};

TEST_P(Rfc8867, holds_its_floors) {
  for (const uint64_t seed : {1, 2, 3}) {
    Trial trial(GetParam(), seed);
    ASSERT_TRUE(trial.play());
    const Figures f = trial.figures();
    std::printf(
        "%-16s seed %llu: use %5.1f %%, queue p50 %5.1f p95 %5.1f ms, loss %.2f %%, Jain %.3f, follow %.2f s, freeze "
        "%.2f s\n",
        GetParam().id.c_str(), static_cast<unsigned long long>(seed), f.use, f.p50_ms, f.p95_ms, f.loss,
        f.jain.value_or(0), f.follow_s.value_or(0), f.freeze_s);
  }
}

std::string name_of(const testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.id;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}
INSTANTIATE_TEST_SUITE_P(Cases, Rfc8867, testing::ValuesIn(scenarios()), name_of);

}  // namespace
}  // namespace atm0s::rfc8867

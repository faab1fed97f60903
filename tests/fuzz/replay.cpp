// A fuzz target as an ordinary test: every input of tests/fuzz/<target> goes through LLVMFuzzerTestOneInput, so that
// what fuzzing found once stays found, with g++, under sanitizers and under coverage. Linked to each *_fuzz.cpp as
// <target>_replay. Finds nothing new: that is `./dev fuzz`.
#include <errno.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// There in sanitizer builds alone.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

// Of the input that is being replayed. Plain memory: it is read when the process is dying.
std::array<char, 512> g_input{};

void tell_input() {
  constexpr std::string_view kIntroduction = "while replaying ";
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, kIntroduction.data(), kIntroduction.size());
  written = ::write(STDERR_FILENO, g_input.data(), std::strlen(g_input.data()));
  written = ::write(STDERR_FILENO, "\n", 1);
}

void on_death_signal(int signal) {
  tell_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void replay(const std::string& name, const std::vector<uint8_t>& bytes) {
  std::strncpy(g_input.data(), name.c_str(), g_input.size() - 1);
  // A copy of exactly that size: a sanitizer then sees the first byte that is read too far.
  const std::vector<uint8_t> exact(bytes);
  EXPECT_EQ(LLVMFuzzerTestOneInput(exact.data(), exact.size()), 0) << name;
}

TEST(Corpus, IsReplayed) {
  std::string target = program_invocation_short_name;
  target.resize(target.rfind("_replay"));
  const std::filesystem::path folder = std::filesystem::path(ATM0S_CORPUS_DIR) / target;
  std::vector<std::filesystem::path> inputs;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) inputs.push_back(entry.path());
  }
  ASSERT_FALSE(inputs.empty()) << "there are no inputs in tests/fuzz/" << target << "; make them: ./dev fuzz --corpus "
                               << target;
  std::sort(inputs.begin(), inputs.end());
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) {
    if (__sanitizer_set_death_callback == nullptr || signal == SIGABRT) std::signal(signal, on_death_signal);
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_input);

  replay("no bytes at all", {});
  for (const auto& path : inputs) {
    std::ifstream file(path, std::ios::binary);
    replay(path.filename().string(), {std::istreambuf_iterator<char>(file), {}});
  }
  RecordProperty("inputs", static_cast<int>(inputs.size()));
}

}  // namespace

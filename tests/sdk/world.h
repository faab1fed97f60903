// What the tests of libatm0s stand on: one real server for the whole program, tokens that it issues, and configurations
// of sessions in rooms of their own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "atm0s/session.h"
#include "server_process.h"

namespace atm0s::test {

using namespace std::chrono_literals;

// Started by the first who asks. ATM0S_SERVER names another program than the one that was built beside the tests.
atm::soak::ServerProcess& server();
std::string url();

// One of a test's own. `more`: flags.
std::unique_ptr<atm::soak::ServerProcess> start_server(const std::vector<std::string>& more = {});
// With one media port, which clients take to be a Gate's (gate.h).
atm::soak::ServerProcess& gated_server();

// Good for that room, and that peer or, with "", any. `more`: further fields of the request, ",\"publish\":false".
std::string token_of(atm::soak::ServerProcess& server, const std::string& room, const std::string& peer,
                     const std::string& more = "");
std::string token(const std::string& room, const std::string& peer, const std::string& more = "");

// What the admin API answers at that path.
std::string admin(const std::string& path);

// Made by hand: good for every room and peer; `max_bitrate`: of all its video, 0 for any.
std::string any_token(uint64_t max_bitrate = 0);

// A name that no other test has.
std::string new_room();
SessionConfig config_of(const std::string& room, const std::string& peer);

// Until it is true, asked every few milliseconds; false when it did not become so in time.
bool until(const std::function<bool()>& is_true, std::chrono::milliseconds patience = 5s);

// The next event of that type which fits; others are dropped.
template <typename T>
std::optional<T> wait_for(
    Session& session, const std::function<bool(const T&)>& fits = [](const T&) { return true; },
    std::chrono::milliseconds patience = 5s) {
  const auto end = Clock::now() + patience;
  while (Clock::now() < end) {
    const auto event = session.wait_event(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()));
    if (!event) continue;
    const T* one = std::get_if<T>(&*event);
    if (one != nullptr && fits(*one)) return *one;
  }
  return std::nullopt;
}

// Succeeds, or says why not.
#define EXPECT_OK(result)                                                                          \
  do {                                                                                             \
    const auto checked = (result);                                                                 \
    EXPECT_TRUE(checked.ok()) << to_text(checked.error().code) << ": " << checked.error().message; \
  } while (false)
#define ASSERT_OK(result)                                                                          \
  do {                                                                                             \
    const auto checked = (result);                                                                 \
    ASSERT_TRUE(checked.ok()) << to_text(checked.error().code) << ": " << checked.error().message; \
  } while (false)
#define EXPECT_FAILS(wanted, result)                                                        \
  do {                                                                                      \
    const auto checked = (result);                                                          \
    EXPECT_FALSE(checked.ok());                                                             \
    if (!checked.ok()) {                                                                    \
      EXPECT_EQ(to_text(checked.error().code), to_text(wanted)) << checked.error().message; \
    }                                                                                       \
  } while (false)

}  // namespace atm0s::test

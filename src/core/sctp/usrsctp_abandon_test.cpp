// Messages given up between the association and usrsctp: what follows arrives, nothing stalls, nothing comes in pieces.
#include "core/sctp/usrsctp_test.h"

namespace atm::sctp {
namespace {

class UsrsctpAbandon : public testing::TestWithParam<Opener> {};
INSTANTIATE_TEST_SUITE_P(Openers, UsrsctpAbandon, kAllOpeners, opener_name);

struct Policy {
  const char* name;
  Reliability how;
};
const std::vector<Policy> kPolicies{
    {"ordered, no retransmission", {.ordered = true, .max_retransmits = 0, .lifetime = {}}},
    {"unordered, no retransmission", {.ordered = false, .max_retransmits = 0, .lifetime = {}}},
    {"ordered, one retransmission", {.ordered = true, .max_retransmits = 1, .lifetime = {}}},
    {"ordered, 300 ms", {.ordered = true, .max_retransmits = {}, .lifetime = 300ms}},
    {"unordered, 300 ms", {.ordered = false, .max_retransmits = {}, .lifetime = 300ms}},
};

// What came is some of what was sent, each once and whole; ordered messages in order.
size_t check(const std::vector<Message>& got, const std::vector<Bytes>& sent, bool ordered) {
  std::map<Bytes, size_t> index;
  for (size_t i = 0; i < sent.size(); ++i) index[sent[i]] = i;
  std::set<size_t> seen;
  size_t last = 0;
  for (const Message& message : got) {
    const auto it = index.find(message.payload);
    if (it == index.end()) {
      ADD_FAILURE() << "a message that was never sent, of " << message.payload.size() << " bytes";
      continue;
    }
    EXPECT_TRUE(seen.insert(it->second).second);
    if (ordered) {
      EXPECT_GE(it->second, last);
    }
    last = it->second;
  }
  return seen.size();
}

// `size`(i): of the i-th message that may be given up. After each tenth a reliable one, which must arrive.
template <typename Size>
void exchange(Opener opener, const Policy& policy, uint64_t seed, size_t count, Size size) {
  SCOPED_TRACE(policy.name);
  Interop interop(opener, {.loss = 0.2, .jitter = 20ms}, seed);
  std::vector<Bytes> limited, reliable;
  for (uint32_t i = 0; i < count; ++i) {
    limited.push_back(make_payload(size(i), i));
    ASSERT_TRUE(interop.we.send(interop.link.now(), 3, 53, limited.back(), policy.how, interop.link.out_a()));
    interop.they.send(interop.link.now(), 3, limited.back(), policy.how, interop.link.out_b());
    if (i % 10 == 9) {
      // On the same stream when that is ordered, behind what is given up there.
      reliable.push_back(make_payload(700, 10'000 + i));
      ASSERT_TRUE(interop.we.send(interop.link.now(), 3, 53, reliable.back(), {}, interop.link.out_a()));
      interop.they.send(interop.link.now(), 3, reliable.back(), {}, interop.link.out_b());
    }
    if (i % 5 == 4) interop.link.run_for(100ms);
  }
  const auto split = [&](const std::vector<Message>& all) {
    std::pair<std::vector<Message>, std::vector<Bytes>> parts;
    for (const Message& message : all) {
      if (message.stream != 3) continue;
      if (std::find(reliable.begin(), reliable.end(), message.payload) != reliable.end()) {
        parts.second.push_back(message.payload);
      } else {
        parts.first.push_back(message);
      }
    }
    return parts;
  };
  ASSERT_TRUE(interop.link.run(600s,
                               [&] {
                                 return split(interop.our_messages()).second.size() == reliable.size() &&
                                        split(interop.link.out_b().messages).second.size() == reliable.size() &&
                                        interop.we.queued_bytes() == 0;
                               }))
      << split(interop.our_messages()).second.size() << " and " << split(interop.link.out_b().messages).second.size()
      << " of " << reliable.size() << ", " << interop.state();
  interop.link.run_for(5s);
  for (const auto& all : {interop.our_messages(), interop.link.out_b().messages}) {
    const auto [came, kept] = split(all);
    EXPECT_EQ(kept, reliable);
    EXPECT_LT(check(came, limited, policy.how.ordered), limited.size());
  }
  EXPECT_TRUE(interop.we.is_up());
  EXPECT_GT(interop.we.counters().abandoned_messages, 0u);
  EXPECT_GT(interop.we.counters().forward_tsns_in, 0u);
}

TEST_P(UsrsctpAbandon, SmallMessages) {
  for (const Policy& policy : kPolicies) exchange(GetParam(), policy, 21, 150, [](uint32_t i) { return 50 + i; });
}

TEST_P(UsrsctpAbandon, FragmentedMessages) {
  for (const Policy& policy : kPolicies) {
    // None in a single chunk: usrsctp 0.9.5 aborts when such an unordered one follows a FORWARD-TSN while fragments of
    // a later unordered message wait ("missing end for MID", of the message that was skipped).
    exchange(GetParam(), policy, 22, 60, [](uint32_t i) { return 1'200 + i * 977 % 20'000; });
  }
}

TEST_P(UsrsctpAbandon, LargestMessages) {
  for (const Policy& policy : kPolicies)
    exchange(GetParam(), policy, 23, 10, [](uint32_t i) { return kMaxMessageSize - i; });
}

}  // namespace
}  // namespace atm::sctp

// What strangers that can send to a session during its handshake (that is, over a path that ICE has validated) can do
// to it: what memory they make it hold, what work they make it do, and that its own client still gets through.
#include "core/dtls/call_test.h"  // before any header of OpenSSL's, see virtual_openssl_test.h
#include "core/dtls/record_guard.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <iostream>

namespace atm::dtls {
namespace {

// What OpenSSL holds and how often it asked for more. Set before main: OpenSSL takes it only before its first use.
struct OpensslMemory {
  static inline int64_t held = 0;
  static inline uint64_t calls = 0;

  static void* allocate(size_t size, const char*, int) {
    void* out = std::malloc(size);
    held += static_cast<int64_t>(malloc_usable_size(out));
    ++calls;
    return out;
  }
  static void* reallocate(void* old, size_t size, const char*, int) {
    held -= static_cast<int64_t>(malloc_usable_size(old));
    void* out = std::realloc(old, size);
    held += static_cast<int64_t>(malloc_usable_size(out));
    ++calls;
    return out;
  }
  static void free(void* old, const char*, int) {
    held -= static_cast<int64_t>(malloc_usable_size(old));
    std::free(old);
  }
  static inline const bool is_set = CRYPTO_set_mem_functions(allocate, reallocate, free) == 1;
};

constexpr int64_t kMemoryOfStrangers = 64 * 1024;

constexpr uint8_t kChangeCipherSpec = 20, kHandshake = 22, kApplicationData = 23;

Bytes record(uint8_t type, uint16_t epoch, uint64_t sequence, ByteView body) {
  Bytes out(13 + body.size());
  Writer w(out);
  w.u8(type);
  w.u16(0xfefd);
  w.u16(epoch);
  w.u16(static_cast<uint16_t>(sequence >> 32));
  w.u32(static_cast<uint32_t>(sequence));
  w.u16(static_cast<uint16_t>(body.size()));
  w.bytes(body);
  return out;
}

struct Fragment {
  uint8_t type = 1;
  uint32_t size = 0;  // of the message
  uint16_t message = 0;
  uint32_t offset = 0;
  ByteView bytes = {};
  std::optional<uint32_t> length = std::nullopt;  // claimed, when it is not that of `bytes`
};
Bytes body_of(const Fragment& fragment) {
  Bytes out(12 + fragment.bytes.size());
  Writer w(out);
  w.u8(fragment.type);
  w.u24(fragment.size);
  w.u16(fragment.message);
  w.u24(fragment.offset);
  w.u24(fragment.length.value_or(static_cast<uint32_t>(fragment.bytes.size())));
  w.bytes(fragment.bytes);
  return out;
}

class Hostile : public testing::Test {
 protected:
  Hostile() { EXPECT_TRUE(OpensslMemory::is_set); }

  // To the server, as a stranger with the client's address would.
  void inject(ByteView datagram) {
    const uint64_t before = OpensslMemory::calls;
    call_.deliver(false, datagram);
    most_calls_ = std::max(most_calls_, OpensslMemory::calls - before);
  }
  void inject(const Fragment& fragment) { inject(record(kHandshake, 0, ++sequence_, body_of(fragment))); }
  uint64_t dropped() const {
    const Counters& counters = call_.server->counters();
    return counters.bad_record + counters.bad_fragment + counters.message_too_large + counters.early_record;
  }
  void expect_connects() {
    call_.client->start(call_.now, call_.client_out);
    call_.flush(true);
    call_.flush(false);
    call_.run(5s);
    EXPECT_TRUE(call_.connected()) << call_.server->failure() << call_.client->failure();
  }

  Call call_{1};
  uint64_t sequence_ = 1 << 20;  // of the records: far above the client's own
  uint64_t most_calls_ = 0;
};

TEST_F(Hostile, FragmentsThatMakeNoSenseAreDroppedAndTheClientConnects) {
  call_.exchange_fingerprints();
  const Bytes some(100, 0x55);
  const int64_t before = OpensslMemory::held;
  const Fragment senseless[] = {
      {.size = 0xffffff, .bytes = some},                                          // 16 MB
      {.size = 0xffffff, .offset = 0xfffff0, .bytes = ByteView(some).first(15)},  // and its end
      {.size = kMaxHelloSize + 1, .bytes = some},
      {.type = 16, .size = kMaxOtherMessage + 1, .message = 2, .bytes = some},
      {.size = 200, .message = kMaxHandshakeMessages, .bytes = some},
      {.size = 200, .message = 0xffff, .bytes = some},
      {.size = 200},                                // empty
      {.size = 200, .offset = 200},                 // empty, at the end
      {.size = 200, .offset = 0xffffff},            // empty, beyond
      {.size = 50, .bytes = some},                  // longer than its message
      {.size = 150, .offset = 100, .bytes = some},  // beyond the end
      {.size = 200, .offset = 0xffffff, .bytes = some},
      {.size = 200, .bytes = some, .length = 101},  // longer than its record
      {.size = 200, .bytes = some, .length = 0xffffff},
      {.size = 200, .bytes = some, .length = 0},  // bytes that belong to nothing
  };
  uint64_t count = 0;
  for (int round = 0; round < 20; ++round) {
    for (const Fragment& fragment : senseless) {
      inject(fragment);
      ASSERT_EQ(dropped(), ++count) << "of " << fragment.size << " at " << fragment.offset;
    }
  }
  EXPECT_TRUE(call_.server_out.datagrams.empty());
  EXPECT_EQ(most_calls_, 0u);  // none has reached OpenSSL
  EXPECT_EQ(OpensslMemory::held, before);
  expect_connects();
}

// What is cut off, empty or longer than its datagram.
TEST_F(Hostile, RecordsThatMakeNoSenseAreDropped) {
  call_.exchange_fingerprints();
  for (const uint8_t type : {kChangeCipherSpec, uint8_t{21}, kHandshake, kApplicationData}) {
    inject(record(type, 0, 1, {}));
    Bytes longer = record(type, 0, 1, Bytes(50));
    longer.pop_back();
    inject(longer);
    for (size_t size = 1; size < 13; ++size) inject(ByteView(longer).first(size));
  }
  EXPECT_EQ(call_.server->counters().bad_record, 4u * 14u);
  inject(record(kHandshake, 0, 1, Bytes(11)));  // less than a fragment's header
  EXPECT_EQ(call_.server->counters().bad_fragment, 1u);
  EXPECT_EQ(most_calls_, 0u);
  expect_connects();
}

// A fragment that disagrees with what came first of its message would end the handshake inside OpenSSL.
TEST_F(Hostile, AFragmentUnlikeTheFirstOfItsMessageChangesNothing) {
  call_.exchange_fingerprints();
  call_.client->start(call_.now, call_.client_out);
  const Bytes hello = std::move(call_.client_out.datagrams.at(0));
  call_.client_out.clear();
  const ByteView body = ByteView(hello).subspan(25);
  const uint32_t size = static_cast<uint32_t>(body.size());
  inject({.size = size, .bytes = body.first(60)});
  inject({.size = size + 1, .offset = 60, .bytes = body.subspan(60)});
  inject({.type = 16, .size = size, .offset = 60, .bytes = body.subspan(60)});
  EXPECT_EQ(call_.server->counters().bad_fragment, 2u);
  EXPECT_TRUE(call_.server_out.datagrams.empty());
  inject({.size = size, .offset = 60, .bytes = body.subspan(60)});
  EXPECT_FALSE(call_.server_out.datagrams.empty());
  call_.flush(false);
  call_.run(5s);
  EXPECT_TRUE(call_.connected());
}

TEST_F(Hostile, FragmentsThatOverlapMakeOneMessage) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SeededRng rng(seed);
    call_.client.emplace(*call_.client_context, Role::kClient);
    call_.server.emplace(*call_.server_context, Role::kServer);
    call_.exchange_fingerprints();
    call_.client->start(call_.now, call_.client_out);
    const Bytes hello = std::move(call_.client_out.datagrams.at(0));
    call_.client_out.clear();
    const ByteView body = ByteView(hello).subspan(25);
    const uint32_t size = static_cast<uint32_t>(body.size());
    int fragments = 0;
    while (call_.server_out.datagrams.empty()) {
      ASSERT_LT(++fragments, 1'000);
      const uint32_t from = rng.below(size);
      const uint32_t length = 1 + rng.below(std::min<uint32_t>(size - from, 60));
      inject({.size = size, .offset = from, .bytes = body.subspan(from, length)});
    }
    EXPECT_EQ(dropped(), 0u);
    call_.flush(false);
    call_.run(5s);
    ASSERT_TRUE(call_.connected()) << seed;
  }
}

// Every message that the guard lets a stranger begin, every record that it lets him park, and a thousand of each more.
TEST_F(Hostile, NothingMakesASessionHoldMoreThan64KilobytesOrWorkWithoutEnd) {
  call_.exchange_fingerprints();
  call_.server->start(call_.now, call_.server_out);
  const int64_t before = OpensslMemory::held;
  int64_t most = 0;
  const Bytes some(1'000, 0x55);
  SeededRng rng(1);
  const auto inject_claims = [&](uint16_t message) {
    for (const uint8_t type : {message == 1 ? uint8_t{11} : uint8_t{16}, uint8_t{1}, uint8_t{11}}) {
      for (const uint32_t size : {0xffffffu, 16'384u, uint32_t{kMaxHelloSize}, uint32_t{kMaxOtherMessage}}) {
        inject({.type = type, .size = size, .message = message, .offset = rng.below(1'000), .bytes = some});
      }
    }
  };
  inject({.type = 1, .size = kMaxHelloSize, .message = 2, .bytes = some});
  for (int round = 0; round < 1'000; ++round) {
    for (uint16_t message = 1; message < 20; ++message) inject_claims(message);
    inject(record(kApplicationData, 1, ++sequence_, Bytes(2'000)));
    inject(record(kHandshake, 1, ++sequence_, Bytes(2'000)));
    inject(record(kHandshake, 2, ++sequence_, Bytes(2'000)));
    Bytes both = record(kChangeCipherSpec, 0, ++sequence_, Bytes{1});
    const Bytes finished = record(kHandshake, 1, ++sequence_, Bytes(40));
    both.insert(both.end(), finished.begin(), finished.end());
    inject(both);
    most = std::max(most, OpensslMemory::held - before);
  }
  inject_claims(0);
  most = std::max(most, OpensslMemory::held - before);
  EXPECT_LE(most, kMemoryOfStrangers);
  EXPECT_GT(most, 2 * 16'384);  // it did get through to OpenSSL
  EXPECT_LE(most_calls_, 60u);
  EXPECT_TRUE(call_.server_out.datagrams.empty());  // and no answer to any of it
  EXPECT_GT(dropped(), 200'000u);
  std::cout << "held at most " << most << " bytes, " << most_calls_ << " allocations for one datagram\n";
}

// Records that cannot be decrypted yet, at every moment of the handshake, and numbers that would shut the window.
TEST(HostileCall, TheClientConnectsAmongThousandsOfEarlyRecords) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SeededRng rng(seed);
    Call call(seed);
    const auto inject_some = [&] {
      for (int i = 0; i < 50; ++i) {
        Bytes garbage(1 + rng.below(1'000));
        rng.fill(garbage);
        const uint64_t number = rng.u64() >> 16;
        call.deliver(false, record(i % 2 == 0 ? kApplicationData : kHandshake, 1, number, garbage));
        call.deliver(false, record(kChangeCipherSpec, 0, number, Bytes{1}));
      }
    };
    call.start();
    for (int turn = 0; turn < 100 && !call.connected(); ++turn) {
      inject_some();
      call.flush(false);
      call.run(3ms);
    }
    call.run(5s);
    EXPECT_TRUE(call.connected()) << seed << call.server->failure() << call.client->failure();
    EXPECT_GT(call.server->counters().early_record, 100u);
  }
}

int add_shares(SSL*, unsigned, unsigned, const unsigned char** out, size_t* size, X509*, size_t, int*, void* shares) {
  const auto* bytes = static_cast<const Bytes*>(shares);
  *out = bytes->data();
  *size = bytes->size();
  return 1;
}

// A ClientHello with key shares of post-quantum size has up to four datagrams, which come in any order, or twice.
TEST_F(Hostile, AClientHelloOfSeveralDatagramsIsTakenInAnyOrder) {
  size_t orders = 0;
  for (const size_t size : {1'216u, 1'800u, 2'700u, 3'800u}) {
    Bytes shares(size, 0x77);
    Context context(Certificate::make(call_.now, call_.rng));
    ASSERT_EQ(SSL_CTX_add_custom_ext(context.ssl_ctx(), 0x1234, SSL_EXT_CLIENT_HELLO, add_shares, nullptr, &shares,
                                     nullptr, nullptr),
              1);
    std::vector<size_t> order;
    do {
      call_.client.emplace(context, Role::kClient);
      call_.server.emplace(*call_.server_context, Role::kServer);
      ASSERT_TRUE(call_.server->set_remote_fingerprint("sha-256 " + context.certificate().fingerprint()));
      ASSERT_TRUE(call_.client->set_remote_fingerprint("sha-256 " + call_.server_context->certificate().fingerprint()));
      call_.client->start(call_.now, call_.client_out);
      const std::vector<Bytes> hello = std::move(call_.client_out.datagrams);
      call_.client_out.clear();
      if (order.empty()) {
        ASSERT_EQ(hello.size(), size / 1'150 + 1);
        for (size_t i = 0; i < hello.size(); ++i) order.push_back(i);
      }
      for (size_t i = 0; i < order.size(); ++i) {
        EXPECT_TRUE(call_.server_out.datagrams.empty());
        inject(hello[order[i]]);
        if (i % 2 == 0 && i + 1 < order.size()) inject(hello[order[i]]);
      }
      ASSERT_FALSE(call_.server_out.datagrams.empty());
      EXPECT_EQ(dropped(), 0u);
      call_.flush(false);
      call_.run(1s);
      ASSERT_TRUE(call_.connected());
      ++orders;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_EQ(orders, 2u + 2u + 6u + 24u);
}

}  // namespace
}  // namespace atm::dtls

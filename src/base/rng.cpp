#include "base/rng.h"

#include <bit>

#include "base/assert.h"

namespace atm {

uint32_t Rng::u32() {
  uint8_t b[4];
  fill(b);
  return load_u32(b);
}

uint64_t Rng::u64() {
  uint8_t b[8];
  fill(b);
  return load_u64(b);
}

uint32_t Rng::below(uint32_t bound) {
  ASSERT(bound > 0);
  return static_cast<uint32_t>((uint64_t{u32()} * bound) >> 32);  // bias below 2^-32 x bound: irrelevant here
}

std::string Rng::ice_chars(size_t length) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out(length, '\0');
  fill({reinterpret_cast<uint8_t*>(out.data()), out.size()});
  for (char& c : out) c = kAlphabet[static_cast<uint8_t>(c) & 63];
  return out;
}

std::string Rng::hex(size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  Bytes raw(bytes);
  fill(raw);
  std::string out;
  out.reserve(bytes * 2);
  for (const uint8_t b : raw) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

SeededRng::SeededRng(uint64_t seed) {
  for (uint64_t& word : state_) {  // SplitMix64
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededRng::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRng::fill(MutByteView out) {
  for (size_t i = 0; i < out.size();) {
    uint64_t word = next();
    for (int k = 0; k < 8 && i < out.size(); ++k, ++i, word >>= 8) out[i] = static_cast<uint8_t>(word);
  }
}

}  // namespace atm

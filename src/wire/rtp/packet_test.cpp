#include "wire/rtp/packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "wire/rtp/extension.h"
#include "wire/rtp/header.h"

namespace atm::rtp {
namespace {

const Bytes kPlain = {0x80, 0xE0, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xAA, 0xBB, 0xCC, 0xDD, 0x11, 0x22};

// Two CSRCs, a one-byte extension (id 1: one byte, padding, id 3: three bytes), four bytes of payload, three of
// padding.
const Bytes kRich = {0xB2, 0x6F, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03,  //
                     0x00, 0x00, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x0B,                          //
                     0xBE, 0xDE, 0x00, 0x02, 0x10, 0x9F, 0x00, 0x32, 0x01, 0x02, 0x03, 0x00,  //
                     0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x00, 0x03};

std::map<int, Bytes> elements(uint16_t profile, const Bytes& extension) {
  std::map<int, Bytes> out;
  for_each_extension(profile, extension,
                     [&](uint8_t id, ByteView value) { out[id].assign(value.begin(), value.end()); });
  return out;
}

TEST(RtpPacket, reads_the_fixed_header) {
  Bytes bytes = kPlain;
  const auto view = parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->marker);
  EXPECT_EQ(view->payload_type, 0x60);
  EXPECT_EQ(view->sequence, 0x1234);
  EXPECT_EQ(view->timestamp, 0x01020304u);
  EXPECT_EQ(view->ssrc, 0xAABBCCDDu);
  EXPECT_EQ(view->header_size, 12u);
  EXPECT_EQ(view->extension_profile, 0);
  EXPECT_EQ(view->payload.size(), 2u);
  EXPECT_EQ(view->payload.data(), bytes.data() + 12);
  EXPECT_EQ(view->packet.size(), bytes.size());
}

TEST(RtpPacket, reads_csrcs_extension_and_padding) {
  Bytes bytes = kRich;
  const auto view = parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->marker);
  EXPECT_EQ(view->csrc_count, 2);
  EXPECT_EQ(view->header_size, 32u);
  EXPECT_EQ(header_length(bytes), 32u);
  EXPECT_EQ(view->padding_size, 3u);
  EXPECT_EQ(Bytes(view->payload.begin(), view->payload.end()), (Bytes{0xDE, 0xAD, 0xBE, 0xEF}));
  ASSERT_TRUE(find_extension(*view, 1));
  EXPECT_EQ((*find_extension(*view, 1))[0], 0x9F);
  ASSERT_TRUE(find_extension(*view, 3));
  EXPECT_EQ(find_extension(*view, 3)->size(), 3u);
  EXPECT_FALSE(find_extension(*view, 2));
  EXPECT_FALSE(find_extension(*view, 0));
}

TEST(RtpPacket, refuses_or_reads_within_bounds_when_cut_anywhere) {
  for (size_t size = 0; size < kRich.size(); ++size) {
    Bytes cut(kRich.begin(), kRich.begin() + static_cast<std::ptrdiff_t>(size));
    const auto view = parse(cut);
    if (size < 32) {
      EXPECT_FALSE(view) << size;
      EXPECT_EQ(header_length(cut), 0u) << size;
    } else if (view) {
      EXPECT_EQ(view->header_size + view->payload.size() + view->padding_size, size);
    }
  }
}

TEST(RtpPacket, refuses_wrong_version_and_impossible_padding) {
  Bytes bytes = kPlain;
  bytes[0] = 0x40;
  EXPECT_FALSE(parse(bytes));
  bytes = kPlain;
  bytes[0] = 0xA0;
  for (const uint8_t padding : {uint8_t{0}, uint8_t{3}, uint8_t{255}}) {
    bytes.back() = padding;
    EXPECT_FALSE(parse(bytes)) << int{padding};
  }
  bytes.back() = 2;  // padding only: a packet without payload
  const auto view = parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->payload.empty());
  bytes.resize(12);
  EXPECT_FALSE(parse(bytes));  // no byte that could tell the padding
}

TEST(RtpExtension, walks_the_two_byte_form) {
  const auto found = elements(0x1005, {1, 0, 0, 20, 2, 0xAB, 0xCD, 15, 1, 0x77, 0, 0});
  EXPECT_EQ(found, (std::map<int, Bytes>{{1, {}}, {20, {0xAB, 0xCD}}, {15, {0x77}}}));
}

TEST(RtpExtension, stops_at_what_rfc_8285_reserves) {
  EXPECT_EQ(elements(kOneByteProfile, {0x10, 1, 0xF0, 9, 0x20, 2, 0, 0}), (std::map<int, Bytes>{{1, {1}}}));
  EXPECT_EQ(elements(kOneByteProfile, {0x10, 1, 0x02, 9, 9, 9, 0x20, 2}), (std::map<int, Bytes>{{1, {1}}}));
  EXPECT_EQ(elements(kOneByteProfile, {0x10, 1, 0x2F, 9}), (std::map<int, Bytes>{{1, {1}}}));  // reaches out
  EXPECT_EQ(elements(0x1000, {1, 1, 7, 2, 9, 0, 0, 0}), (std::map<int, Bytes>{{1, {7}}}));
  EXPECT_EQ(elements(0x1000, {0, 0, 0, 2}), (std::map<int, Bytes>{}));
  EXPECT_EQ(elements(0xABCD, {0x10, 1, 0, 0}), (std::map<int, Bytes>{}));
}

TEST(RtpHeader, takes_the_one_byte_form_when_everything_fits) {
  const Bytes level = {0x9F};
  const Bytes mid(16, 'm');
  Bytes out(100);
  const ExtensionValue values[] = {{1, level}, {0, mid}, {14, mid}};
  const size_t size = write_header(out, {true, 111, 7, 8, 9}, values);
  EXPECT_EQ(size, 12u + 4 + 20);
  EXPECT_EQ(size, header_size(values));
  const auto view = parse(MutByteView(out).first(size));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->extension_profile, kOneByteProfile);
  EXPECT_TRUE(view->marker);
  EXPECT_EQ(view->payload_type, 111);
  EXPECT_EQ(view->sequence, 7);
  EXPECT_EQ(view->timestamp, 8u);
  EXPECT_EQ(view->ssrc, 9u);
  EXPECT_TRUE(view->payload.empty());
  EXPECT_EQ(find_extension(*view, 1)->size(), 1u);
  EXPECT_EQ(find_extension(*view, 14)->size(), 16u);
}

TEST(RtpHeader, takes_the_two_byte_form_for_large_ids_and_for_long_or_empty_values) {
  const Bytes one = {1};
  const Bytes seventeen(17, 'x');
  const std::vector<ExtensionValue> cases[] = {{{16, one}}, {{1, seventeen}}, {{1, {}}}, {{1, one}, {200, seventeen}}};
  for (const auto& values : cases) {
    Bytes out(100);
    const size_t size = write_header(out, {}, values);
    ASSERT_NE(size, 0u);
    EXPECT_EQ(size % 4, 0u);
    const auto view = parse(MutByteView(out).first(size));
    ASSERT_TRUE(view);
    EXPECT_EQ(view->extension_profile, kTwoByteProfile);
    for (const auto& value : values) {
      ASSERT_TRUE(find_extension(*view, value.id));
      EXPECT_TRUE(std::ranges::equal(*find_extension(*view, value.id), value.value));
    }
  }
}

TEST(RtpHeader, writes_nothing_when_it_does_not_fit) {
  const Bytes one = {1};
  const Bytes huge(256, 'x');
  const ExtensionValue small[] = {{1, one}};
  for (size_t room = 0; room < 20; ++room) {
    Bytes out(room, 0x55);
    EXPECT_EQ(write_header(out, {}, small), 0u);
    EXPECT_EQ(out, Bytes(room, 0x55));
  }
  Bytes out(1000);
  const ExtensionValue large[] = {{1, huge}};
  EXPECT_EQ(write_header(out, {}, large), 0u);
  EXPECT_EQ(write_header(out, {}, {}), 12u);
}

TEST(RtpHeader, audio_level_has_a_bit_of_voice_and_seven_of_level) {
  EXPECT_EQ(write_audio_level({true, 31}), 0x9F);
  EXPECT_EQ(write_audio_level({false, 127}), 0x7F);
  const Bytes value = {0x85};
  const auto level = parse_audio_level(value);
  ASSERT_TRUE(level);
  EXPECT_TRUE(level->voice);
  EXPECT_EQ(level->level, 5);
  EXPECT_FALSE(parse_audio_level({}));
}

TEST(Classify, tells_protocols_apart_by_the_first_byte) {
  const auto of = [](int first, int second) {
    const Bytes bytes = {static_cast<uint8_t>(first), static_cast<uint8_t>(second)};
    return classify(bytes);
  };
  for (int first = 0; first < 256; ++first) {
    PacketClass expected = PacketClass::kUnknown;
    if (first <= 3) expected = PacketClass::kStun;
    if (first >= 20 && first <= 63) expected = PacketClass::kDtls;
    if (first >= 128 && first <= 191) expected = PacketClass::kRtp;
    EXPECT_EQ(of(first, 111), expected) << first;
  }
  for (int second = 0; second < 256; ++second) {
    EXPECT_EQ(of(0x80, second), second >= 192 && second <= 223 ? PacketClass::kRtcp : PacketClass::kRtp) << second;
  }
  EXPECT_EQ(classify({}), PacketClass::kUnknown);
}

TEST(ExtensionMap, refuses_reserved_and_taken_ids) {
  ExtensionMap map;
  EXPECT_FALSE(map.set(0, Extension::kMid));
  EXPECT_FALSE(map.set(15, Extension::kMid));
  EXPECT_TRUE(map.set(4, Extension::kMid));
  EXPECT_FALSE(map.set(4, Extension::kRid));
  EXPECT_TRUE(map.set(200, Extension::kMid));
  EXPECT_FALSE(map.at(4));
  EXPECT_EQ(map.id_of(Extension::kMid), 200);
  for (size_t i = 0; i < kExtensionCount; ++i) {
    EXPECT_EQ(parse_extension_uri(uri_of(static_cast<Extension>(i))), static_cast<Extension>(i));
  }
}

}  // namespace
}  // namespace atm::rtp

// Several values of one stream, each with its length in front, so that the structure of one is used by the next. What
// is read can be written again; what viewers get says the same, with other numbers.
#include <algorithm>
#include <cstdlib>

#include "wire/payload/carried_descriptor.h"
#include "wire/payload/dependency_descriptor.h"

namespace {

using namespace atm;
using payload::DependencyDescriptor;
using Structure = std::optional<payload::DependencyStructure>;

void check(bool is_right) {
  if (!is_right) std::abort();
}

void check_same(const DependencyDescriptor& a, const DependencyDescriptor& b) {
  check(a.starts_frame == b.starts_frame && a.ends_frame == b.ends_frame && a.has_structure == b.has_structure);
  check(a.template_id == b.template_id && a.frame.difference_count == b.frame.difference_count);
  check(a.frame.indications == b.frame.indications && a.frame.chain_differences == b.frame.chain_differences);
  check(std::equal(a.frame.differences.begin(), a.frame.differences.begin() + a.frame.difference_count,
                   b.frame.differences.begin()));
}

void write_again(const DependencyDescriptor& read, Structure structure) {
  std::array<uint8_t, 1'024> out;
  const size_t size = write_dependency_descriptor(read, *structure, out);
  check(size != 0);
  const auto again = parse_dependency_descriptor(ByteView(out).first(size), structure);
  check(again && again->active_decode_targets == read.active_decode_targets &&
        again->frame_number == read.frame_number);
  check_same(*again, read);
}

void write_for_viewers(ByteView value, const payload::FrameStructure& structure,
                       const std::optional<DependencyDescriptor>& read, const Structure& before) {
  std::array<uint8_t, payload::kMaxCarriedSize> carried;
  const size_t size = carry_descriptor(value, structure, carried);
  for (const uint8_t target : {0, 9, 31}) {
    std::array<uint8_t, payload::kMaxWrittenDescriptor> out;
    const size_t written =
        payload::write_carried_descriptor(ByteView(carried).first(size), {0x5A5A, target, true, target == 9}, out);
    check((written != 0) == (size != 0));
    if (written == 0 || !read) continue;
    Structure theirs = before;
    const auto got = parse_dependency_descriptor(ByteView(out).first(written), theirs);
    check(got && got->frame_number == 0x5A5A);
    check_same(*got, *read);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Structure structure;
  payload::FrameStructure frames;
  Reader reader({data, size});
  while (reader.left() > 0) {
    const size_t length = reader.u8();
    const ByteView value = reader.take(length < reader.left() ? length : reader.left());
    const auto head = payload::parse_dependency_head(value);
    const Structure before = structure;
    const auto read = payload::parse_dependency_descriptor(value, structure);
    check(!read || (head && head->frame_number == read->frame_number));
    check(!read || read->frame.difference_count <= payload::kMaxFrameDifferences);
    check(!structure || (structure->template_count != 0 && structure->decode_targets != 0));
    if (read) write_again(*read, structure);
    payload::read_frame_info(Codec::kAv1, {}, false, value, frames);
    if (head) write_for_viewers(value, frames, read, before);
  }
  return 0;
}

#include "decoder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "base/assert.h"
#include "frame_receiver.h"

namespace atm::layers {
namespace {

const std::string kFolder = ATM0S_LAYERS_DIR;

void put_little(std::ofstream& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.put(static_cast<char>(value >> (8 * i)));
}

void put(std::ofstream& out, ByteView bytes) {
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_ivf(const std::string& path, Codec codec, const std::vector<ByteView>& pictures) {
  constexpr uint8_t kDelimiter[] = {0x12, 0x00};  // AV1: a temporal unit begins with one
  std::ofstream out(path, std::ios::binary);
  out << "DKIF";
  put_little(out, 0, 2), put_little(out, 32, 2);
  out << (codec == Codec::kVp8 ? "VP80" : codec == Codec::kVp9 ? "VP90" : "AV01");
  put_little(out, 320, 2), put_little(out, 192, 2), put_little(out, 15, 4), put_little(out, 1, 4);
  put_little(out, pictures.size(), 4), put_little(out, 0, 4);
  for (size_t i = 0; i < pictures.size(); ++i) {
    const bool is_av1 = codec == Codec::kAv1;
    put_little(out, pictures[i].size() + (is_av1 ? 2 : 0), 4), put_little(out, i, 8);
    if (is_av1) put(out, kDelimiter);
    put(out, pictures[i]);
  }
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Lines of ffmpeg's framemd5: stream, dts, pts, duration, size, hash.
std::vector<DecodedPicture> read_hashes(const std::string& path) {
  std::vector<DecodedPicture> out;
  std::istringstream lines(read_text(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string field;
    DecodedPicture picture;
    for (int i = 0; i < 5; ++i) std::getline(fields, field, ',');
    picture.size = std::stoul(field);
    std::getline(fields, field);
    picture.md5 = field.substr(field.find_first_not_of(' '));
    out.push_back(std::move(picture));
  }
  return out;
}

const char* decoder_of(Codec codec) {
  switch (codec) {
    case Codec::kVp9:
      return "libvpx-vp9";
    case Codec::kAv1:
      return "libdav1d";
    case Codec::kH264:
      return "h264";
    default:
      return "vp8";
  }
}

}  // namespace

Decoding decode(const std::string& name, Codec codec, const std::vector<ByteView>& pictures) {
  std::filesystem::create_directories(kFolder);
  const std::string path = kFolder + "/" + name;
  const std::string file = path + (codec == Codec::kH264 ? ".h264" : ".ivf");
  if (codec == Codec::kH264) {
    std::ofstream out(file, std::ios::binary);
    for (const ByteView picture : pictures) put(out, picture);
  } else {
    write_ivf(file, codec, pictures);
  }
  // -fps_mode: no picture twice, none left out; -autoscale 0: each in its own size.
  const std::string command = "ffmpeg -nostdin -v error -xerror -err_detect explode -threads 1 -c:v " +
                              std::string(decoder_of(codec)) + " -i '" + file +
                              "' -fps_mode passthrough -autoscale 0 -f framemd5 -y '" + path + ".md5' >'" + path +
                              ".errors' 2>&1";
  const int status = std::system(command.c_str());
  Decoding out;
  out.errors = read_text(path + ".errors");
  if (status != 0 && out.errors.empty()) out.errors = "ffmpeg ended with " + std::to_string(status);
  out.pictures = read_hashes(path + ".md5");
  return out;
}

const std::vector<DecodedPicture>& expected_pictures(const Clip& clip, uint8_t spatial) {
  static std::map<std::pair<std::string, uint8_t>, std::vector<DecodedPicture>> known;
  std::vector<DecodedPicture>& out = known[{clip.name, spatial}];
  if (!out.empty()) return out;
  std::vector<Bytes> pictures;
  for (size_t i = 0; i < clip.pictures(); ++i) pictures.push_back(picture_bytes(clip.codec, clip.needed(i, spatial)));
  Decoding decoding = decode("clip-" + clip.name + "-" + std::to_string(spatial), clip.codec,
                             std::vector<ByteView>(pictures.begin(), pictures.end()));
  if (!decoding.errors.empty() || decoding.pictures.size() != clip.pictures()) {
    decoding.errors += " (of a clip as it is: is ffmpeg there?)";
    std::fprintf(stderr, "%s: %s\n", clip.name.c_str(), decoding.errors.c_str());
  }
  ASSERT(decoding.pictures.size() == clip.pictures());
  return out = std::move(decoding.pictures);
}

}  // namespace atm::layers

// What the files of `encode` share: a clip that is written (encode.cpp), what refers to what in it (pattern.cpp), and
// the encoders. Neither built nor run by the tests; a failure ends the program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace clips {

constexpr int kFps = 15;
// Every so many pictures there is a key frame.
constexpr int kGroup = 16;

struct Mode {
  std::string codec;
  int spatial = 1, temporal = 1;
  bool is_key_svc = false;
};

// The raw pictures, and how much is to be made of them.
struct Video {
  int width = 0, height = 0;
  unsigned kbps = 0;
};

struct Frame {
  int picture = 0, spatial = 0, temporal = 0;
  bool is_key = false;        // the picture is one
  bool is_switch = false;     // VP8: Y; VP9 and AV1: what comes after it needs nothing of higher layers before it
  bool uses_below = false;    // refers to the next lower spatial layer
  bool is_for_above = false;  // the next higher spatial layer refers to it
  std::vector<int> back;      // pictures back, of its own spatial layer
};

[[noreturn]] void fail(const std::string& why);

class Clip {
 public:
  Clip(const std::string& path, const Mode& mode, const Video& video);
  ~Clip() { std::fclose(file_); }
  Clip(const Clip&) = delete;
  Clip& operator=(const Clip&) = delete;

  void add(const Frame& frame, const std::vector<uint8_t>& bytes);

 private:
  void u8(int value) { std::fputc(value & 0xFF, file_); }
  void u16(int value) { u8(value >> 8), u8(value); }
  FILE* file_;
};

// The next one of standard input; empty at its end.
std::vector<uint8_t> read_picture(const Video& video);

// --- pattern.cpp ---

// Of a picture of one spatial layer, or of the lowest one.
Frame plan(const Mode& mode, int picture);
// Of each frame of a picture, with what the next layer needs of the one below.
Frame plan_layer(const Mode& mode, int picture, int spatial);
// Where a picture of one spatial layer is kept, of three places: the base layer in 0.
int slot_of(const Mode& mode, int picture);
// The same of eight, with spatial layers.
int svc_slot(const Mode& mode, int picture, int spatial);
bool is_kept(const Mode& mode, int picture, int spatial);
// What references that are not used name.
int base_slot(const Mode& mode, int spatial);
// The bitrate of a spatial layer with its temporal layers up to `temporal`.
unsigned layer_kbps(const Mode& mode, unsigned kbps, int spatial, int temporal);

// --- encode_vpx.cpp, encode_aom.cpp, encode_x264.cpp: standard input to `clip` ---

void encode_vp8(const Mode& mode, const Video& video, Clip& clip);
void encode_vp9(const Mode& mode, const Video& video, Clip& clip);
void encode_av1(const Mode& mode, const Video& video, Clip& clip);
void encode_h264(const Mode& mode, const Video& video, Clip& clip);

}  // namespace clips

// ffmpeg and ffprobe as judges of files that we wrote: programs that we did not write.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace atm::files {

// Writes build/…/frames/`name` and gives its path; it stays there.
std::string put_file(const std::string& name, ByteView bytes);
Bytes get_file(const std::string& path);

// A command's standard output; `errors`: what it wrote besides, or that it failed.
struct Said {
  std::string output, errors;
};
Said run(const std::string& command);

// The MD5 of each picture that comes out, by the decoder of that name (libvpx-vp9, libdav1d, h264, vp8).
struct Decoded {
  std::vector<std::string> pictures;
  std::string errors;
};
Decoded decode_video(const std::string& path, const std::string& decoder);
// Samples of 16 bits, 48 kHz, as they are in the file.
Said decode_audio(const std::string& path, const std::string& decoder = "");
// `ffprobe -show_entries WHAT`: values, one a line.
std::string probe(const std::string& path, const std::string& what, const std::string& more = "");

}  // namespace atm::files

#include "ffmpeg.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace atm::files {
namespace {

const std::string kFolder = ATM0S_FILES_DIR;

}  // namespace

std::string put_file(const std::string& name, ByteView bytes) {
  std::filesystem::create_directories(kFolder);
  std::ofstream file(kFolder + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return kFolder + "/" + name;
}

Bytes get_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Said run(const std::string& command) {
  std::filesystem::create_directories(kFolder);
  const std::string path = kFolder + "/errors-of-a-command";
  Said out;
  FILE* pipe = ::popen((command + " 2>'" + path + "'").c_str(), "r");
  if (pipe == nullptr) return {"", "no shell"};
  char buffer[4'096];
  for (size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.output.append(buffer, size);
  const int status = ::pclose(pipe);
  const Bytes errors = get_file(path);
  out.errors.assign(errors.begin(), errors.end());
  if (status != 0 && out.errors.empty()) out.errors = "it ended with " + std::to_string(status);
  return out;
}

Decoded decode_video(const std::string& path, const std::string& decoder) {
  // -fps_mode: no picture twice, none left out.
  const Said said = run("ffmpeg -nostdin -v error -threads 1 -c:v " + decoder + " -i '" + path +
                        "' -map 0:v -fps_mode passthrough -f framemd5 -");
  Decoded out{{}, said.errors};
  std::istringstream lines(said.output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') out.pictures.push_back(line.substr(line.rfind(' ') + 1));
  }
  return out;
}

Said decode_audio(const std::string& path, const std::string& decoder) {
  const std::string with = decoder.empty() ? "" : "-c:a " + decoder;
  return run("ffmpeg -nostdin -v error " + with + " -i '" + path + "' -map 0:a -f s16le -ar 48000 -");
}

std::string probe(const std::string& path, const std::string& what, const std::string& more) {
  return run("ffprobe -v error " + more + " -show_entries " + what + " -of default=nw=1:nk=1 '" + path + "'").output;
}

}  // namespace atm::files

// The elements atm0ssink and atm0ssrc as gst-launch-1.0 and gst-inspect-1.0 have them.
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "call.h"
#include "child.h"

namespace atm0s::test {
namespace {

// "gst-launch-1.0 -e …" in words.
std::vector<std::string> words(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::string element(const std::string& name, const std::string& room, const std::string& peer) {
  return name + " url=" + url() + " room=" + room + " peer=" + peer + " token=" + token(room, peer);
}

// A file of the test's own, gone with it.
class File {
 public:
  explicit File(const std::string& ending)
      : path_("/tmp/atm0s-gst-" + std::to_string(getpid()) + "-" + std::to_string(++count) + ending) {}
  ~File() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  static inline int count = 0;
  const std::string path_;
};

int frames_of(const std::string& path, const std::string& stream) {
  const Said said = run_program({"ffprobe", "-v", "error", "-count_frames", "-select_streams", stream, "-show_entries",
                                 "stream=nb_read_frames", "-of", "csv=p=0", path});
  return std::atoi(said.text.c_str());
}

// Publishes with one gst-launch-1.0 and views with another one into a file, of which ffprobe counts the frames.
void publish_and_record(const std::string& media, const std::string& view, const std::string& ending, int video,
                        int audio) {
  const std::string room = new_room();
  Child publisher(words("gst-launch-1.0 -q " + media + " " + element("atm0ssink name=s", room, "ann")));
  Viewing watcher(room, "watcher");
  const auto has_all = [&] {
    return watcher.session().remote_streams().size() == size_t{video > 0} + size_t{audio > 0};
  };
  ASSERT_TRUE(until(has_all, 8s)) << publisher.said().text;
  const File file(ending);
  Child viewer(words("gst-launch-1.0 -q -e " + element("atm0ssrc name=v from-peer=ann", room, "bob") + " " + view +
                     " ! filesink location=" + file.path()));
  EXPECT_FALSE(viewer.wait(4s)) << viewer.said().text;
  viewer.interrupt();
  EXPECT_TRUE(viewer.wait(5s));
  EXPECT_EQ(viewer.said().code, 0) << viewer.said().text;
  EXPECT_FALSE(publisher.wait(0s)) << publisher.said().text;
  publisher.interrupt();
  EXPECT_TRUE(publisher.wait(5s));
  EXPECT_GE(frames_of(file.path(), "v:0"), video);
  EXPECT_GE(frames_of(file.path(), "a:0"), audio);
}

const std::string kPictures = "videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=15/1";
const std::string kSound = "audiotestsrc is-live=true";

TEST(Launch, Vp8AndOpusThatComeEncoded) {
  publish_and_record(kPictures + " ! vp8enc deadline=1 ! s.video_0 " + kSound + " ! opusenc ! s.audio_0",
                     "webmmux name=m v.video_0 ! queue ! m.video_0 v.audio_0 ! queue ! m.audio_0 m.", ".webm", 15, 50);
}

TEST(Launch, H264ThatComesEncoded) {
  publish_and_record(kPictures + " ! x264enc tune=zerolatency speed-preset=ultrafast ! s.", "v. ! matroskamux", ".mkv",
                     15, 0);
}

TEST(Launch, RawVideoIsEncoded) {
  publish_and_record(kPictures + " ! s.", "v. ! matroskamux", ".mkv", 15, 0);
}

TEST(Launch, TheEncoderInFrontIsControlled) {
  const std::string room = new_room();
  Child publisher(
      words("gst-launch-1.0 -q videotestsrc is-live=true pattern=snow ! video/x-raw,width=160,height=90,framerate=15/1"
            " ! vp8enc deadline=1 cpu-used=8 end-usage=cbr target-bitrate=2000000 ! queue ! " +
            element("atm0ssink max-bitrate=200000", room, "ann")));
  Viewing bob(room);
  Receiver receiver = bob.view("video_main");
  measure_bitrate(receiver, 1500ms);
  EXPECT_LT(measure_bitrate(receiver, 2s), 260'000);
  receiver.request_key_frame();
  bool has_key = false;
  for (int i = 0; i < 20 && !has_key; ++i) {
    const auto frame = receiver.read_video(1s);
    has_key = frame && frame->is_key;
  }
  EXPECT_TRUE(has_key);
}

TEST(Launch, AWrongTokenIsAnErrorOfTheElement) {
  const Said said = run_program(
      words("gst-launch-1.0 " + kPictures + " ! vp8enc ! atm0ssink room=x peer=y token=nonsense url=" + url()));
  EXPECT_NE(said.code, 0);
  EXPECT_NE(said.text.find("INVALID_TOKEN"), std::string::npos) << said.text;
}

TEST(Launch, EveryPropertyIsExplained) {
  for (const char* name : {"atm0ssink", "atm0ssrc"}) {
    const Said said = run_program({"gst-inspect-1.0", name});
    EXPECT_EQ(said.code, 0) << said.text;
    for (const char* property : {"url", "room", "peer", "token", "tls-verify", "tls-ca-file"}) {
      const auto at = said.text.find("\n  " + std::string(property) + " ");
      ASSERT_NE(at, std::string::npos) << property << said.text;
      const std::string line = said.text.substr(at + 1, said.text.find('\n', at + 1) - at - 1);
      EXPECT_GT(line.size(), 40u) << line;
    }
  }
}

}  // namespace
}  // namespace atm0s::test

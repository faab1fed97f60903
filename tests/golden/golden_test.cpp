// Every offer of every recording is answered as the server answers it: nothing that the client wants is refused, the
// answer is one that a client can take, and its text is the one that was checked in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "core/negotiation/answer.h"
#include "core/negotiation/codec.h"
#include "core/negotiation/extension_policy.h"
#include "core/negotiation/offer.h"
#include "recording.h"
#include "wire/sdp/sdp.h"

namespace atm::golden {
namespace {

using namespace negotiation;

// A session's plan, kept over its offers as media/session keeps it.
class Plan {
 public:
  std::vector<LocalMedia> decide(const RecordedOffer& recorded, const Offer& offer) {
    if (recorded.has_receivers) {
      wanted_[MediaKind::kAudio] = recorded.audio_receivers;
      wanted_[MediaKind::kVideo] = recorded.video_receivers;
    }
    std::vector<LocalMedia> out;
    for (const OfferedMedia& media : offer.media) {
      LocalMedia& decision = out.emplace_back();
      const bool is_new = seen_.insert(media.mid).second;
      if (media.is_application || media.is_rejected) continue;
      if (is_sending(media.direction)) decision.direction = Direction::kRecvOnly;
      if (media.direction != Direction::kRecvOnly) continue;
      if (is_new && bound_[media.kind] < wanted_[media.kind]) {
        ids_[media.mid] = std::string(to_text(media.kind)) + "_" + std::to_string(bound_[media.kind]++);
      }
      if (!ids_.contains(media.mid)) continue;
      decision.direction = Direction::kSendOnly;
      decision.stream_id = decision.track_id = ids_[media.mid];
      decision.ssrc = 1000 + 10 * static_cast<uint32_t>(media.index);
      decision.rtx_ssrc = decision.ssrc + 1;
    }
    return out;
  }
  uint32_t bound(MediaKind kind) { return bound_[kind]; }
  uint32_t wanted(MediaKind kind) { return wanted_[kind]; }

 private:
  std::map<MediaKind, uint32_t> wanted_, bound_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> ids_;
};

LocalTransport make_transport(uint64_t version) {
  LocalTransport out;
  out.ufrag = "srvU";
  out.pwd = "serverpasswordserverpass";
  out.fingerprint = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
  out.ice_lite = true;
  out.setup = "passive";
  out.candidates = {"candidate:1 1 udp 2130706431 192.0.2.1 20000 typ host",
                    "candidate:2 1 udp 2130706430 2001:db8::1 20000 typ host"};
  out.cname = "server";
  out.session_id = 4711;
  out.session_version = version;
  return out;
}

template <typename List, typename Has>
bool has_any(const List& list, Has has) {
  return std::any_of(list.begin(), list.end(), has);
}

void check_codecs(const sdp::MediaDescription& offered, const sdp::MediaDescription& answered,
                  const std::vector<Codec>& codecs) {
  ASSERT_FALSE(answered.rtpmaps.empty());
  std::vector<size_t> ranks;
  for (const sdp::Rtpmap& map : answered.rtpmaps) {
    EXPECT_TRUE(has_any(offered.rtpmaps, [&](const sdp::Rtpmap& m) { return m == map; }))
        << "payload type " << int{map.payload_type} << " is not as offered";
    const auto codec = parse_codec(map.name);
    if (!codec) {
      EXPECT_EQ(map.name, answered.kind == "audio" ? "red" : "rtx");
      continue;
    }
    const auto found = std::find(codecs.begin(), codecs.end(), *codec);
    EXPECT_TRUE(codecs.empty() || found != codecs.end()) << map.name << " is not among the session's codecs";
    ranks.push_back(static_cast<size_t>(found - codecs.begin()));
  }
  EXPECT_TRUE(std::is_sorted(ranks.begin(), ranks.end())) << "not in order of preference";
}

void check_media(const sdp::MediaDescription& offered, const sdp::MediaDescription& answered,
                 const LocalMedia& decision, const std::vector<Codec>& codecs) {
  SCOPED_TRACE("mid " + offered.mid);
  EXPECT_EQ(answered.kind, offered.kind);
  EXPECT_EQ(answered.mid, offered.mid);
  EXPECT_EQ(answered.protocol, offered.protocol);
  EXPECT_EQ(answered.port, 9);
  if (offered.kind == "application") {
    EXPECT_EQ(answered.sctp_port, 5000);
    return;
  }
  EXPECT_EQ(answered.direction, decision.direction);
  EXPECT_TRUE(answered.has_rtcp_mux);
  check_codecs(offered, answered, codecs);
  for (const sdp::Extmap& extmap : answered.extmaps) {
    EXPECT_TRUE(has_any(offered.extmaps, [&](const sdp::Extmap& e) { return e == extmap; })) << extmap.uri;
    EXPECT_TRUE(is_accepted(rtp::parse_extension_uri(extmap.uri).value())) << extmap.uri;
  }
  EXPECT_TRUE(has_any(answered.extmaps, [](const sdp::Extmap& e) { return e.uri.ends_with("sdes:mid"); }));
  if (is_sending(decision.direction)) {
    ASSERT_EQ(answered.msids.size(), 1u);
    EXPECT_EQ(answered.msids[0], (sdp::Msid{decision.stream_id, decision.track_id}));
    EXPECT_EQ(read_codecs(answered, *parse_media_kind(answered.kind), {}).size(),
              static_cast<size_t>(std::count_if(answered.rtpmaps.begin(), answered.rtpmaps.end(),
                                                [](const auto& m) { return m.name != "rtx" && m.name != "red"; })));
    EXPECT_EQ(answered.ssrcs.size(), offered.kind == "video" ? 2u : 1u);
  } else {
    EXPECT_TRUE(answered.msids.empty());
    EXPECT_TRUE(answered.ssrcs.empty());
  }
}

// The client, given the answer to its own offer, must come to the same agreement as the server.
void check_agreement(const sdp::Description& offer, const sdp::Description& answer, const Answer& ours) {
  const auto theirs = read_answer(offer, answer);
  ASSERT_TRUE(theirs) << theirs.error().why;
  EXPECT_EQ(theirs->transport.ufrag, "srvU");
  EXPECT_TRUE(theirs->transport.ice_lite);
  EXPECT_EQ(theirs->transport.candidates.size(), 2u);
  EXPECT_EQ(theirs->has_data_channel, ours.has_data_channel);
  ASSERT_EQ(theirs->media.size(), ours.media.size());
  for (size_t i = 0; i < ours.media.size(); ++i) {
    EXPECT_EQ(theirs->media[i].mid, ours.media[i].mid);
    EXPECT_EQ(theirs->media[i].direction, reversed(ours.media[i].direction));
    EXPECT_EQ(theirs->media[i].codecs, ours.media[i].codecs);
    EXPECT_EQ(theirs->media[i].extensions.id_of(rtp::Extension::kMid),
              ours.media[i].extensions.id_of(rtp::Extension::kMid));
  }
}

// Each sender that the request lists is received: its uuid is the msid track id, or without a track the stream id.
void check_senders(const RecordedOffer& recorded, const Answer& answer) {
  for (const RecordedOffer::Sender& sender : recorded.senders) {
    EXPECT_TRUE(has_any(answer.media, [&](const NegotiatedMedia& m) {
      return is_receiving(m.direction) && to_text(m.kind) == sender.kind &&
             (m.remote_track_id == sender.uuid || m.remote_stream_id == sender.uuid) && !m.remote_ssrcs.empty();
    })) << sender.uuid;
  }
}

std::string answer_all(const Recording& recording) {
  std::string texts;
  Plan plan;
  uint64_t version = 1;
  for (const RecordedOffer& recorded : recording.offers) {
    SCOPED_TRACE(recorded.request + ", answer " + std::to_string(version));
    const auto offer = sdp::parse(recorded.sdp);
    EXPECT_TRUE(offer) << offer.error().why;
    if (!offer) return texts;
    EXPECT_EQ(sdp::parse(sdp::to_text(*offer)).value_or(sdp::Description{}), *offer)
        << "the offer does not survive being written";
    const auto read = read_offer(*offer);
    EXPECT_TRUE(read) << read.error().why;
    if (!read) return texts;
    const std::vector<LocalMedia> decisions = plan.decide(recorded, *read);
    EXPECT_EQ(plan.bound(MediaKind::kAudio), plan.wanted(MediaKind::kAudio));
    EXPECT_EQ(plan.bound(MediaKind::kVideo), plan.wanted(MediaKind::kVideo));
    const auto answer = make_answer(*offer, decisions, make_transport(version), {recording.codecs});
    EXPECT_TRUE(answer) << answer.error().why;
    if (!answer) return texts;
    const auto answered = sdp::parse(answer->sdp);
    EXPECT_TRUE(answered) << answered.error().why;
    if (!answered || answered->media.size() != offer->media.size()) return ADD_FAILURE(), texts;
    EXPECT_TRUE(answer->has_data_channel);
    EXPECT_EQ(answered->bundle_groups, offer->bundle_groups) << "a wanted m-line is rejected";
    for (size_t i = 0; i < decisions.size(); ++i) {
      check_media(offer->media[i], answered->media[i], decisions[i], recording.codecs);
    }
    check_agreement(*offer, *answered, *answer);
    check_senders(recorded, *answer);
    texts += "# answer " + std::to_string(version++) + ", to " + recorded.request + "\n" + answer->sdp;
  }
  // Lines end as text files do, so that a difference can be read.
  std::erase(texts, '\r');
  return texts;
}

[[maybe_unused]] void PrintTo(const Recording& recording, std::ostream* out) {
  *out << recording.name;
}

class Golden : public testing::TestWithParam<Recording> {};

TEST_P(Golden, EveryOfferIsAnsweredWithNothingWantedRejected) {
  const Recording& recording = GetParam();
  ASSERT_FALSE(recording.offers.empty());
  const std::string answers = answer_all(recording);
  const std::string path = ATM0S_GOLDEN_DIR "/answers/" + recording.name + ".txt";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << answers;
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(answers, expected.str()) << "UPDATE_GOLDEN=1 writes the answers anew";
}

std::string name_of(const testing::TestParamInfo<Recording>& recording) {
  std::string name = recording.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(JsSdk, Golden, testing::ValuesIn(read_recordings()), name_of);

TEST(Recordings, AreAllThere) {
  EXPECT_EQ(read_recordings().size(), 28u);
}

}  // namespace
}  // namespace atm::golden

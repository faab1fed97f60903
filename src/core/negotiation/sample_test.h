// What the tests of this folder share: a server's transport, a recorded offer to change, answers to read.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/negotiation/answer.h"
#include "core/negotiation/offer.h"
#include "wire/sdp/recorded_offer.h"
#include "wire/sdp/sdp.h"

namespace atm::negotiation {

inline LocalTransport server_transport() {
  LocalTransport out;
  out.ufrag = "srvU";
  out.pwd = "serverpasswordserverpass";
  out.fingerprint = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
  out.ice_lite = true;
  out.setup = "passive";
  out.candidates = {"1 1 udp 2130706431 192.0.2.1 20000 typ host",
                    "a=candidate:2 1 udp 2130706430 2001:db8::1 20000 typ host"};
  out.cname = "server";
  out.session_id = 4711;
  out.session_version = 3;
  return out;
}

inline LocalTransport client_transport() {
  LocalTransport out = server_transport();
  out.ufrag = "cliU";
  out.ice_lite = false;
  out.setup = "actpass";
  out.candidates.clear();
  return out;
}

// The recorded offer: 0 audio sendonly, 1 video sendonly, 2 video recvonly, 3 audio recvonly, 4 application.
inline sdp::Description recorded_offer() {
  return sdp::parse(sdp::kRecordedOffer).value();
}

// As the server decides: receive what is sent, send msid video_0 and audio_0.
inline std::vector<LocalMedia> usual_decisions() {
  return {{Direction::kRecvOnly, {}, {}, 0, 0},
          {Direction::kRecvOnly, {}, {}, 0, 0},
          {Direction::kSendOnly, "video_0", "video_0", 11, 12},
          {Direction::kSendOnly, "audio_0", "audio_0", 21, 22},
          {}};
}

inline Answer answer_to(const sdp::Description& offer, const Policy& policy = {},
                        std::vector<LocalMedia> decisions = usual_decisions()) {
  decisions.resize(offer.media.size());
  auto answer = make_answer(offer, decisions, server_transport(), policy);
  EXPECT_TRUE(answer) << answer.error().why;
  return answer ? *answer : Answer{};
}

inline sdp::Description description_of(const Answer& answer) {
  auto parsed = sdp::parse(answer.sdp);
  EXPECT_TRUE(parsed) << parsed.error().why;
  return parsed ? *parsed : sdp::Description{};
}

}  // namespace atm::negotiation

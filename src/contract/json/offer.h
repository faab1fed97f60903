// What a client declares beside an SDP offer: its senders and how many receivers it wants. The same in
// POST /webrtc/connect and in peer.updateSdp, so it is read and written here, for the two parsers of this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

#include "contract/json/fields.h"
#include "contract/session.h"

namespace atm::json {

std::string read_sdp(const Fields& fields);
std::vector<contract::SenderInfo> read_senders(const Fields& fields);
contract::ReceiverCounts read_receivers(const Fields& fields);
MediaKind read_kind(const Fields& fields);

void write_senders(const std::vector<contract::SenderInfo>& senders, nlohmann::ordered_json& out);
void write_receivers(const contract::ReceiverCounts& receivers, nlohmann::ordered_json& out);

}  // namespace atm::json

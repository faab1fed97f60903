// A room: who is in it, which streams they publish, and which receivers show them. Presence and stream events go out as
// values addressed to sessions. One worker owns it; node creates it with the first session and drops it with the last.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "contract/session.h"
#include "media/receiver/receiver.h"
#include "media/room/output.h"
#include "media/sender/source.h"

namespace atm0s::room {

using receiver::Receiver;
using sender::Source;

// Peers that a participant of the manual scope may name; they need not be there (yet).
inline constexpr size_t kMaxSubscribedPeers = 1'024;

class Room {
 public:
  explicit Room(std::string name) : name_(std::move(name)) {}

  // --- presence. A participant is present from when its data channel opens.
  // Tells the newcomer of everybody and everything, and everybody of the newcomer.
  void enter(SessionId id, const std::string& peer, contract::SubscribeScope subscribe, contract::PublishScope publish,
             Output& out);
  void set_status(SessionId id, contract::PeerStatus status, Output& out);
  // The participant's streams must have been unpublished before.
  void leave(SessionId id, Output& out);
  // Manual scope: streams of `peer` are told from now on, or no longer. False: the participant has too many already.
  bool subscribe_peer(SessionId id, const std::string& peer, Output& out);
  void unsubscribe_peer(SessionId id, const std::string& peer);
  size_t participant_count() const { return participants_.size(); }

  // --- streams
  // Null when the name is taken.
  Source* publish(Source source, Output& out);
  void unpublish(const contract::StreamKey& key, Output& out);
  // `active` or `label` has been changed in the source.
  void on_updated(Source& source, bool active_changed, Output& out);
  size_t stream_count() const { return streams_.size(); }

  // --- views
  void bind(Now now, Receiver& receiver, const contract::StreamKey& remote, Output& out);
  void unbind(Receiver& receiver, Output& out);
  // Packets of one source, in order of arrival: to one subscriber after the other, so that each gets its burst in one
  // piece.
  void fan_out(Now now, Source& source, std::span<const peer::MediaPacket> packets, Output& out);
  bool has_subscribers(const Source& source) const;
  // A receiver's participant lost its picture (PLI or FIR).
  void want_key_frame(Now now, Source& source, Output& out);
  // A loss on the way from the publisher that retransmission will not repair.
  void on_picture_lost(Now now, Source& source, Output& out);
  // The source's retry is due.
  void on_key_frame_timeout(Now now, Source& source, Output& out);

  const std::string& name() const { return name_; }

 private:
  struct Participant {
    SessionId id;
    std::string peer;
    contract::SubscribeScope subscribe;
    contract::PublishScope publish;
    contract::PeerStatus status = contract::PeerStatus::kConnected;
    std::set<std::string> subscribed_peers;  // manual scope
  };
  struct Published {
    Source source;
    std::vector<Receiver*> subscribers;
  };

  static bool sees_streams_of(const Participant& viewer, const std::string& peer);
  static bool sees_peer(const Participant& viewer, const Participant& other);
  static contract::StreamEvent stream_event(const Source& source, contract::PresenceChange change);
  void tell_stream(const Source& source, contract::PresenceChange change, Output& out);
  void tell_peer(const Participant& about, contract::PresenceChange change, Output& out);
  void tell_room_stats(Output& out);
  void tell_state(Receiver& receiver, Output& out);
  void ask_if_due(Now now, Source& source, Output& out);
  Participant* find_participant(SessionId id);
  Published* find_published(const contract::StreamKey& key);

  std::string name_;
  std::vector<Participant> participants_;
  std::map<contract::StreamKey, std::unique_ptr<Published>> streams_;
  std::multimap<contract::StreamKey, Receiver*> waiting_;  // bound to a stream that is not there
};

}  // namespace atm0s::room

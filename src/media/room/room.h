// A room, or the slice of it that one worker has: who is in it, which streams they publish, and which receivers show
// them. Presence and stream events go out as values addressed to the sessions of this worker; the peers and streams of
// other slices are told to them like its own, and their packets come over the relay (relay.h). One worker owns it; node
// creates it with the first session and drops it with the last.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "contract/ending.h"
#include "contract/session.h"
#include "media/mixminus/mixer.h"
#include "media/receiver/receiver.h"
#include "media/room/output.h"
#include "media/sender/source.h"

namespace atm::room {

using receiver::Receiver;
using sender::Source;

// Peers that a participant of the manual scope may name; they need not be there (yet).
inline constexpr size_t kMaxSubscribedPeers = 1'024;

// A slice says every second that it is there; one that has not been heard for so long is gone.
inline constexpr Duration kDigestInterval = 1s;
inline constexpr Duration kSliceSilence = 10s;

// What is done with a second session of a peer.
enum class Duplicates : uint8_t {
  kReplace,  // the older one ends
  kRefuse,   // the newer one is not let in, unless nothing has been heard of the older one for a while
};

// Mixers of one participant, and sources that it has named for one of them, taken back ones included for as long as
// there is room.
inline constexpr size_t kMaxMixers = 8;
inline constexpr size_t kMaxMixerSources = 256;
// Mixers decide at once when somebody begins to talk, within these many a second and at once; beyond them, and while
// more talk than there are slots, so often. Else their work would grow with talkers times listeners. Two frames: levels
// of those who have been talking rise and fall over several.
inline constexpr int64_t kDecisionsPerSecond = 100;
inline constexpr int64_t kDecisionsAtOnce = 20;
inline constexpr Duration kDecisionInterval = 40ms;
// Between two states of a mixer that a client is told; and of one in which only levels are others.
inline constexpr Duration kMixerStateInterval = 200ms;
inline constexpr Duration kMixerLevelInterval = 500ms;
// Talkers that such a state names: the loudest.
inline constexpr size_t kMaxToldTalkers = 16;

// Talkers of whom another slice is told; a message about them goes out when somebody begins or settles, but no sooner
// than the first after the one before, and after the second while somebody talks: sooner than kPause.
inline constexpr size_t kMaxRelayedTalkers = 64;
inline constexpr Duration kLeastLevelsInterval = 10ms;
inline constexpr Duration kLevelsInterval = 60ms;

class Room {
 public:
  // `first_version` must be above that of any earlier slice of the same name and id: its wall clock will do.
  explicit Room(std::string name, SliceId self = {}, uint64_t first_version = 0,
                Duplicates duplicates = Duplicates::kReplace)
      : name_(std::move(name)), self_(self), duplicates_(duplicates), version_(first_version) {}

  // --- presence. A participant is present from when its data channel opens, or is connected where it has none.
  // Tells the newcomer of everybody and everything, and everybody of the newcomer.
  void enter(Now now, SessionId id, const std::string& peer, contract::SubscribeScope subscribe,
             contract::PublishScope publish, contract::Protocol protocol, const std::string& metadata, Output& out);
  void set_status(SessionId id, contract::PeerStatus status, Output& out);
  // The participant's streams must have been unpublished before.
  void leave(SessionId id, Output& out);
  // Manual scope: streams of `peer` are told from now on, or no longer: those that were there are removed. False: the
  // participant has too many already.
  bool subscribe_peer(SessionId id, const std::string& peer, Output& out);
  void unsubscribe_peer(SessionId id, const std::string& peer, Output& out);
  // Another slice has a session of that peer, and a second one is refused.
  bool refuses(const std::string& peer) const;
  // Of this slice.
  size_t participant_count() const { return participants_.size(); }

  // --- streams
  // Null when the name is taken.
  Source* publish(Source source, Output& out);
  void unpublish(const contract::StreamKey& key, Output& out);
  // `active` or `label` has been changed in the source.
  void on_updated(Source& source, bool active_changed, Output& out);
  void on_codecs_changed(Source& source, Output& out);
  // For whoever shows what there is, one stream of each kind (room_order.cpp): `shown` for as long as it is published
  // and active, else the oldest that is active, else the oldest. Nothing: there is none.
  std::optional<contract::StreamKey> pick(MediaKind kind, const std::optional<contract::StreamKey>& shown) const;
  // Of this slice.
  size_t stream_count() const { return streams_.size() - remote_streams_.size(); }

  // --- views
  void bind(Now now, Receiver& receiver, const contract::StreamKey& remote, Output& out);
  void unbind(Receiver& receiver, Output& out);
  // Packets of one source, in order of arrival: to one subscriber after the other, so that each gets its burst in one
  // piece.
  void fan_out(Now now, Source& source, std::span<const peer::MediaPacket> packets, Output& out);
  bool has_subscribers(const Source& source) const;
  // Receivers that show it, here and in other slices as far as they have told.
  uint32_t viewers_of(const Source& source) const;
  // A receiver's participant lost its picture (PLI or FIR).
  void on_key_frame_wanted(Now now, Receiver& receiver, Output& out);
  // A loss on the way from the publisher that retransmission will not repair.
  void on_picture_lost(Now now, Source& source, uint8_t simulcast_layer, Output& out);
  // What the viewers of a stream of this slice can use of it, wherever they are. Source::has_new_demand is cleared.
  share::Demand take_demand(Now now, Source& source);
  // Receiver::set_limit() or set_room() has been called: more than its source's publisher knew of is told at once.
  void on_demand_changed(Now now, Receiver& receiver, Output& out);
  // Receiver::set_target() has been called: tells its state, and asks for the key frame that it may need.
  void on_target_changed(Now now, Receiver& receiver, Output& out);
  // The retry of a source of this slice is due.
  void on_key_frame_timeout(Now now, Source& source, Output& out);

  // --- mixers (room_mixers.cpp; media/mixminus decides)
  // Of a participant: with `hears_all` of all sources of others, else of those that it names. It has its slots, all
  // free; nothing happens when it is there.
  void add_mixer(SessionId id, const std::string& peer, const std::string& mixer, bool hears_all, Output& out);
  // Receivers must have been unbound before.
  void remove_mixers(SessionId id, Output& out);
  // The requests of the protocol. Those for a mixer that is not there make a manual one: the channel reorders them.
  using Refusal = std::optional<Error>;
  struct MixerRequest {
    SessionId session{};
    const std::string& peer;
    uint64_t req_id = 0;  // of two for one thing the later one holds
  };
  Refusal change_source(Now now, const MixerRequest& from, const contract::MixMinusSource& body, Output& out);
  Refusal toggle_mixer(Now now, const MixerRequest& from, const contract::MixMinusToggle& body, Output& out);
  // `slot` below mixminus::kSlots. Another receiver of the slot is unbound.
  Refusal bind_slot(Now now, const MixerRequest& from, Receiver& receiver, const std::string& mixer, size_t slot,
                    Output& out);
  // Source::listen() has been told of packets: before they are fanned out.
  void on_heard(Now now, Source& source, Output& out);

  // --- other slices (room_relay.cpp)
  // Who of this slice has to give way to a participant that the message brings: to be ended before on_relay().
  std::vector<std::pair<SessionId, contract::Ending>> displaced_by(const RelayMessage& message) const;
  Duplicates duplicates() const { return duplicates_; }
  void on_relay(Now now, const RelayMessage& message, Output& out);
  // At the start, and then every kDigestInterval: to all others, known or not.
  void send_digests(Now now, std::span<const SliceId> others, Output& out);
  // Before it is dropped.
  void close(Output& out);
  // For what other slices are asked, and for mixers; a room of one slice without mixers has none.
  Instant next_timeout() const;
  void on_timeout(Now now, Output& out);

  const std::string& name() const { return name_; }

 private:
  struct Participant {
    SessionId id;
    RelayedPeer presence;
    contract::SubscribeScope subscribe;
    std::set<std::string> subscribed_peers;  // manual scope
  };
  struct ViewingSlice {
    SliceId slice{};
    share::Demand demand;
  };
  struct Published {
    Source source;
    std::vector<Receiver*> subscribers;
    StreamId id{};
    std::vector<ViewingSlice> viewing_slices;  // of a stream of this slice
    SliceId slice{};
    share::Demand known = {};  // what the publisher's session, or its slice, was told last
  };
  struct Slice {
    uint64_t version = 0;  // of what we have of it
    Instant heard_at{};
    bool wants_levels = false;
    std::vector<StreamId> talkers;  // that it told of last
  };
  struct Wish {
    bool is_allowed = false;
    uint64_t req_id = 0;
  };
  // Who is in the slots of a mixer, and who talks of those that it may hear, the loudest first.
  struct Heard {
    struct Source {
      mixminus::Ranking::Id id = mixminus::Ranking::kNobody;
      int dbov = mixminus::kSilence;
      bool operator==(const Source&) const = default;
    };
    std::array<Source, mixminus::kSlots> active{};
    std::array<Source, kMaxToldTalkers> sources{};
    size_t count = 0;  // of sources
    bool operator==(const Heard&) const = default;
    // The id may be another source's from now on.
    void forget(mixminus::Ranking::Id id);
  };
  struct MixerEntry {
    SessionId owner{};
    std::string id;
    mixminus::Mixer mixer;
    std::array<Receiver*, mixminus::kSlots> slots{};
    std::map<contract::StreamKey, Wish> wishes = {};  // manual: sources that it has named, there or not
    uint64_t newest_toggle = 0;
    bool has_news = false;           // another source than was told is in a slot
    std::optional<Heard> told = {};  // and when
    Instant told_at{};
  };
  // A source in the ranking.
  struct Ranked {
    Published* published = nullptr;
    std::string name;  // as a mixer's state names it
  };

  bool gives_way(const RelayedPeer& own, const RelayedPeer& other) const;
  static bool sees_streams_of(const Participant& viewer, const std::string& peer);
  static bool sees_peer(const Participant& viewer, const RelayedPeer& other);
  static contract::StreamEvent stream_event(const Source& source, contract::PresenceChange change);
  void tell_stream(const Source& source, contract::PresenceChange change, Output& out);
  void tell_peer(const RelayedPeer& about, contract::PresenceChange change, Output& out);
  void tell_room_stats(Output& out);
  void tell_state(Receiver& receiver, Output& out);
  void want_key_frame(Now now, Source& source, uint8_t simulcast_layer, Output& out);
  void ask_if_due(Now now, Source& source, Output& out);
  void on_key_frame(Now now, Published& published, uint8_t simulcast_layer, Output& out);
  void measure(Now now, Published& published, std::span<const peer::MediaPacket> packets, Output& out);
  // Into streams_, with the receivers that wait for it; null when the name is taken.
  Published* insert(Source source, StreamId id, SliceId slice, Output& out);
  void tell_updated(Source& source, bool active_changed, Output& out);
  // room_demand.cpp
  share::Demand own_demand(Now now, const Published& published) const;
  void tell_demand(Now now, Published& published, Output& out);
  void note_demand(Published& published, Output& out);
  void stop_viewing(Published& published, Output& out);

  Entered entered_of(const Published& published) const;  // its peer
  void stop_showing(Receiver& receiver, Published& published, Output& out);

  // room_mixers.cpp
  MixerEntry* find_or_make_mixer(const MixerRequest& from, const std::string& id, Output& out);
  bool ranks_talkers() const { return !mixers_.empty() || are_levels_wanted_; }
  void rank(Published& published);
  void leave_mixers(Published& published, Output& out);
  void leave_slot(Receiver& receiver, Output& out);
  void decide_if_due(Now now, Output& out);
  void decide(Now now, Output& out);
  void show_in_slot(Now now, MixerEntry& entry, size_t slot, Output& out);
  void note_news(MixerEntry& entry);
  void tell_mixers(Now now, Output& out);
  bool tell_mixer(Now now, MixerEntry& entry, Output& out);
  Heard heard_by(Instant now, const MixerEntry& entry) const;
  contract::MixMinusStateEvent state_of(const MixerEntry& entry, const Heard& heard) const;
  const Ranked& ranked(mixminus::Ranking::Id id) const { return ranked_[static_cast<uint32_t>(id)]; }
  void wake_mixers(Output& out);
  void run_mixers(Now now, Output& out);
  // room_levels.cpp: who talks in other slices
  void want_levels(bool are_wanted, Output& out);
  void on_levels_wanted(Slice& slice, bool are_wanted);
  void relay_levels(Now now, bool is_news, Output& out);
  void on_levels(Now now, Slice& slice, const SliceLevels& levels, Output& out);

  Participant* find_participant(SessionId id);
  Published* find_published(const contract::StreamKey& key);

  // room_relay.cpp
  bool is_local(const Published& published) const { return published.slice == self_; }
  void send(SliceId to, decltype(RelayMessage::body) body, Output& out);
  void relay_change(SliceState change, Output& out);
  void relay_packets(const Published& published, std::span<const peer::MediaPacket> packets, Output& out);
  static RelayMessage take_spare_burst(Output& out);
  static void fill(RelayedPackets& burst, std::span<const peer::MediaPacket> packets);
  RelayedStream relayed(const Published& published);
  SliceState whole_state();
  void apply(Now now, SliceId from, const SliceState& state, Output& out);
  void apply_peer(SliceId from, const RelayedPeer& peer, Output& out);
  void apply_stream(Now now, SliceId from, const RelayedStream& stream, Output& out);
  void remove_remote_peer(const std::string& peer, Output& out);
  void remove_slice(SliceId slice, Output& out);
  void on_view(Now now, SliceId from, const ViewStream& view, Output& out);
  void on_packets(Now now, const RelayedPackets& burst, Output& out);
  Published* find_local(StreamId id);

  std::string name_;
  SliceId self_;
  Duplicates duplicates_;
  std::vector<Participant> participants_;
  std::map<contract::StreamKey, std::unique_ptr<Published>> streams_;
  std::multimap<contract::StreamKey, Receiver*> waiting_;  // bound to a stream that is not there
  // mixers
  mixminus::Ranking ranking_;   // of the audio sources
  std::vector<Ranked> ranked_;  // by its ids
  std::vector<std::unique_ptr<MixerEntry>> mixers_;
  bool is_undecided_ = false;
  Instant decided_at_{};
  Budget decisions_{kDecisionsPerSecond, kDecisionsAtOnce};
  Instant linger_due_ = kNever, tell_due_ = kNever;
  Instant mixers_due_ = kNever;
  bool are_levels_wanted_ = false;  // by any other slice
  Instant levels_told_at_{};
  bool has_level_news_ = false, has_told_talkers_ = false;
  // other slices
  std::map<SliceId, Slice> slices_;  // those that have been heard
  std::map<std::string, RelayedPeer> remote_peers_;
  std::map<StreamId, Published*> remote_streams_;
  uint64_t version_;  // of this slice's own state
  uint64_t next_stream_ = 1;
  std::vector<peer::MediaPacket> relayed_packets_;  // reused
};

}  // namespace atm::room

// The books of a simulation: what became of every media packet that a publisher sent, for every viewer of its stream.
// World tells the fate of each RTP datagram on its links (SSRC and sequence number are in the clear), clients what they
// sent and received. close() looks at each packet between the first and the last that a view brought: it was delivered,
// recovered, or lost on a named way. One that was lost nowhere is an error of the server: it dropped it in silence.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace atm::sim {

class Ledger {
 public:
  enum class Fate : uint8_t { kLost, kUnderWay, kCarried };

  struct Totals {
    uint64_t delivered = 0;         // by the packet itself
    uint64_t recovered = 0;         // lost on a way at first, and there all the same
    uint64_t lost_on_uplink = 0;    // and not repaired
    uint64_t lost_on_downlink = 0;  // links lose, and who is silent hears nothing
    uint64_t lost_on_relay = 0;     // only where the relay loses
    uint64_t under_way = 0;         // when the simulation ended
    uint64_t interrupted = 0;       // the view began anew in between: a switch, a pause, a new key frame
    uint64_t unaccounted = 0;       // lost nowhere: an error
    uint64_t sum() const {
      return delivered + recovered + lost_on_uplink + lost_on_downlink + lost_on_relay + under_way + interrupted +
             unaccounted;
    }
  };

  // By World: a datagram of `client`, towards the server or from it.
  void on_link(uint32_t client, bool is_uplink, ByteView datagram, Fate fate);
  // By clients. `id`: of the packet in the publisher's stream, growing by one.
  void on_sent(Instant now, uint32_t publisher, bool is_video, uint64_t id, uint32_t ssrc, uint16_t sequence);
  void on_received(uint32_t viewer, bool is_video, uint32_t publisher, uint64_t id, uint32_t ssrc, int64_t sequence);

  // `relay_loses`: a packet that no link has lost may have been lost between two workers.
  Totals close(bool relay_loses);
  // The first few packets that nobody can account for.
  const std::vector<std::string>& errors() const { return errors_; }
  // When the packet was sent.
  Instant sent_at(uint32_t publisher, bool is_video, uint64_t id) const;

 private:
  struct Stream {
    uint32_t publisher;
    bool is_video;
    auto operator<=>(const Stream&) const = default;
  };
  struct Sent {
    uint32_t ssrc;
    uint16_t sequence;
    Instant at;
  };
  struct View {
    uint32_t viewer;
    Stream stream;
    uint32_t ssrc;  // of the viewer's m-line: another receiver is another view
    auto operator<=>(const View&) const = default;
  };
  struct OnLink {
    uint32_t client;  // 0 on uplinks: a publisher of layers is a client with several numbers; its SSRCs tell it
    bool is_uplink;
    uint32_t ssrc;
    uint16_t sequence;
    auto operator<=>(const OnLink&) const = default;
  };
  using Received = std::map<uint64_t, int64_t>;  // id, sequence number

  void close_view(const View& view, const Received& received, bool relay_loses);
  bool is_one_view(const View& view, Received::const_iterator a, Received::const_iterator b) const;
  void close_missing(const View& view, uint64_t id, const Sent& sent, uint16_t number, bool relay_loses);
  std::optional<uint64_t> arrival_of(const Stream& stream, uint64_t id) const;
  bool came_outside(const Stream& stream, uint64_t first_arrival, uint64_t last_arrival, uint64_t missing) const;
  const Fate* trouble_of(const OnLink& packet) const;

  std::map<Stream, std::map<uint64_t, Sent>> sent_;
  std::map<View, Received> received_;
  std::map<std::pair<uint32_t, uint32_t>, std::set<int64_t>> numbers_;  // that came, by viewer and SSRC
  std::map<OnLink, Fate> trouble_;      // what was lost once, and whether it came at last (sent again byte for byte)
  std::map<OnLink, uint64_t> arrived_;  // at the server, in which order
  uint64_t arrivals_ = 0;
  Totals totals_;
  std::vector<std::string> errors_;
};

}  // namespace atm::sim

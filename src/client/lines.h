// The m-lines of a session's offers: which sender or receiver each is for. For client/session.h. An m-line keeps its
// place for the session's life (RFC 3264 8), also when its sender has ended; receivers are called in the order of their
// m-lines (receiver_ids.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "client/config.h"
#include "core/negotiation/offer.h"

namespace atm::client {

class Lines {
 public:
  enum class Use : uint8_t { kSender, kReceiver };
  struct Line {
    Use use = Use::kSender;
    size_t index = 0;  // of the sender or receiver
    negotiation::OfferMedia media;
  };

  // The data channel's m-line comes before all of them.
  static constexpr size_t kFirst = 1;

  void add_sender(size_t index, const SenderConfig& config, const std::string& track_id, Rng& rng);
  void add_receiver(size_t index, MediaKind kind, const std::vector<Codec>& codecs);
  void stop_sender(size_t index);
  // A new connection: SSRCs of its own.
  void renew(Rng& rng);

  // The m-line of the connection; nothing: it has none.
  std::optional<size_t> of_sender(size_t index) const { return find(Use::kSender, index); }
  std::optional<size_t> of_receiver(size_t index) const { return find(Use::kReceiver, index); }
  const Line* at(size_t media) const {
    return media < kFirst || media - kFirst >= lines_.size() ? nullptr : &lines_[media - kFirst];
  }
  std::vector<negotiation::OfferMedia> offer() const;

 private:
  std::optional<size_t> find(Use use, size_t index) const;
  static void choose_ssrcs(negotiation::OfferMedia& media, Rng& rng);

  std::vector<Line> lines_;
};

}  // namespace atm::client

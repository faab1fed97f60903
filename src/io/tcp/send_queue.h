// What waits to be sent on one TCP connection: whole frames with their lengths (RFC 4571), up to kMaxQueued bytes. For
// io/tcp/port.h; knows no socket.
#pragma once

#include <cstring>

#include "base/bytes.h"
#include "wire/framing/deframer.h"

namespace atm::io {

// Bytes: a tenth of a second of a camera's 2.5 Mbit/s, half a second of a way of 500 kbit/s. What a connection does not
// carry has to be lost soon, as over UDP: a viewer whose way gets that narrow froze for up to 2.3 s with twice as much.
inline constexpr size_t kMaxQueued = 32'768;

class SendQueue {
 public:
  // False, and nothing of it is queued, when it does not fit: the other side never gets a part of a frame.
  bool push(ByteView frame) {
    const size_t size = framing::kHeaderSize + frame.size();
    if (queued() + size > kMaxQueued || frame.size() > UINT16_MAX) return false;
    bytes_.reserve(kMaxQueued);  // once: it never holds more
    if (bytes_.size() + size > kMaxQueued) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(sent_));
      sent_ = 0;
    }
    const size_t at = bytes_.size();
    bytes_.resize(at + size);
    store_u16(bytes_.data() + at, static_cast<uint16_t>(frame.size()));
    std::memcpy(bytes_.data() + at + framing::kHeaderSize, frame.data(), frame.size());
    return true;
  }
  // What is next, in one piece.
  ByteView front() const { return ByteView(bytes_).subspan(sent_); }
  // So many bytes of it are gone.
  void pop(size_t size) {
    sent_ += size;
    if (sent_ < bytes_.size()) return;
    bytes_.clear();
    sent_ = 0;
  }
  size_t queued() const { return bytes_.size() - sent_; }

 private:
  Bytes bytes_;
  size_t sent_ = 0;  // of its beginning
};

}  // namespace atm::io

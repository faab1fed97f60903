// A TCP connection of a client, with TLS or without: for the SDK's way to TURN servers. Bytes come in any cut; what is
// written goes out whole and in order, or not at all when too much waits. Non-blocking; one thread at a time; no
// SIGPIPE. The caller waits for the fd as wants_read() and wants_write() say, and then calls advance() and read(). With
// TLS the server's certificate has to be trusted and to be for the host's name, before a byte is written. Resolves no
// names and does not connect again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"

struct ssl_ctx_st;
struct ssl_st;

namespace atm::io {

// From the beginning to an open connection, the TLS handshake included.
inline constexpr Duration kStreamOpenTimeout = 10s;
// Bytes that wait to be written: as of a connection of the server's (io/tcp/send_queue.h), and for the same reason.
inline constexpr size_t kMaxStreamQueued = 32'768;

class StreamSocket {
 public:
  enum class State : uint8_t { kConnecting, kHandshaking, kOpen, kClosed };

  struct Options {
    SocketAddress remote;
    std::optional<IpAddress> local = {};  // nothing: as the system's routes say
    ssl_ctx_st* tls = nullptr;            // of io/tls/tls_client.h; nullptr: plain TCP
    std::string host = {};                // with TLS: whose certificate it has to be, a name or a literal address
  };

  StreamSocket(Instant now, const Options& options);
  ~StreamSocket();
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;

  State state() const { return state_; }
  bool is_open() const { return state_ == State::kOpen; }
  // -1 once closed.
  int fd() const { return fd_; }
  bool wants_read() const { return state_ == State::kHandshaking || state_ == State::kOpen; }
  bool wants_write() const { return state_ == State::kConnecting || sent_ < out_.size(); }

  // Goes on connecting, shaking hands and writing.
  void advance();
  // What has arrived; empty when there is nothing more for now. Good until the next call. Call it until it is empty.
  MutByteView read();
  // False, and nothing of it is written: not open, or more than kMaxStreamQueued would wait.
  bool write(ByteView bytes);
  void on_timeout(Instant now);
  Instant next_timeout() const;
  // Closes with what waits, as far as the kernel takes it.
  void close();

  // Once kClosed: for a sentence that begins with the server's name. "could not be reached: Connection refused",
  // "has a certificate that is not trusted: self-signed certificate", "closed the connection". "": close() was called.
  const std::string& why() const { return why_; }

 private:
  void start(const Options& options);
  bool set_up_tls(ssl_ctx_st* context);
  void finish_connecting();
  void shake_hands();
  void take_encrypted();
  void flush();
  MutByteView read_tls();
  size_t receive(MutByteView into);
  void fail_in_tls();
  void fail(std::string why);

  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };

  // given
  std::string host_;
  Instant opened_by_;
  // owned
  int fd_ = -1;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  // state
  State state_ = State::kConnecting;
  std::string why_;
  bool is_ended_ = false;  // by the other side
  Bytes out_;              // to be sent
  size_t sent_ = 0;        // of its beginning
  Bytes in_, plain_;       // reused
};

}  // namespace atm::io

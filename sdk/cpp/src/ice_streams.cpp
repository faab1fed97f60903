#include "ice_streams.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace atm0s {

IceStreams::~IceStreams() {
  for (const auto& [id, stream] : streams_) loop_.unwatch(stream.fd);
}

void IceStreams::open(atm::Now now, const atm::client::StreamWanted& wanted) {
  if (wanted.has_tls && !trust_) {
    auto trust = atm::io::make_tls_context({.ca_file = ca_file_, .verify = verify_});
    if (!trust) return hooks_.closed(wanted.stream, "cannot be checked: " + trust.error().why);
    trust_ = std::move(*trust);
  }
  atm::io::StreamSocket::Options options;
  options.remote = wanted.address;
  options.tls = wanted.has_tls ? trust_.get() : nullptr;
  options.host = wanted.host;
  Stream& stream = streams_[wanted.stream];
  stream.socket = std::make_unique<atm::io::StreamSocket>(now.mono, options);
  stream.fd = stream.socket->fd();
  look(wanted.stream);
}

void IceStreams::close(uint16_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  it->second.socket->close();
  loop_.unwatch(it->second.fd);
  streams_.erase(it);
}

void IceStreams::drop(uint16_t id, const std::string& why) {
  close(id);
  hooks_.closed(id, why);
}

void IceStreams::watch(uint16_t id, Stream& stream) {
  loop_.watch(stream.fd, stream.socket->wants_write(), [this, id] { on_ready(id); });
}

void IceStreams::on_ready(uint16_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  it->second.socket->advance();
  look(id);
}

void IceStreams::look(uint16_t id) {
  auto it = streams_.find(id);
  if (it->second.socket->is_open() && !std::exchange(it->second.was_open, true)) hooks_.opened(id);
  // Whoever is told may have closed it.
  while ((it = streams_.find(id)) != streams_.end()) {
    const atm::MutByteView bytes = it->second.socket->read();
    if (bytes.empty()) break;
    hooks_.received(id, bytes);
  }
  if (it == streams_.end()) return;
  if (it->second.socket->state() == atm::io::StreamSocket::State::kClosed) {
    return drop(id, std::string(it->second.socket->why()));
  }
  watch(id, it->second);
}

void IceStreams::send(const atm::SendBatch& batch) {
  for (const auto& entry : batch.entries()) {
    if (entry.path.transport != atm::Transport::kTcp) continue;
    const auto it = streams_.find(entry.path.local_port);
    if (it == streams_.end()) continue;
    it->second.socket->write(batch.bytes(entry));
    if (it->second.socket->wants_write()) watch(it->first, it->second);
  }
}

atm::Instant IceStreams::next_timeout() const {
  atm::Instant due = atm::kNever;
  for (const auto& [id, stream] : streams_) due = std::min(due, stream.socket->next_timeout());
  return due;
}

void IceStreams::on_timeout(atm::Now now) {
  std::vector<uint16_t> due;
  for (const auto& [id, stream] : streams_) {
    if (stream.socket->next_timeout() <= now.mono) due.push_back(id);
  }
  for (const uint16_t id : due) {
    const auto it = streams_.find(id);
    if (it == streams_.end()) continue;
    it->second.socket->on_timeout(now.mono);
    look(id);
  }
}

}  // namespace atm0s

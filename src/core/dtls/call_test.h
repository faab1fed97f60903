// Two transports over a link with delay and loss, in virtual time: what the tests of this folder drive.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/rng.h"
#include "core/dtls/transport.h"
#include "core/dtls/virtual_openssl_test.h"

namespace atm::dtls {

inline constexpr Duration kOneWay = 10ms;

struct Call {
  explicit Call(uint64_t seed, double loss_ratio = 0)
      : rng(seed), loss_rng(seed + 1'000), openssl(rng), loss(loss_ratio) {
    set_time(Instant{5s});
    server_context.emplace(Certificate::make(now, rng));
    client_context.emplace(Certificate::make(now, rng));
    server.emplace(*server_context, Role::kServer);
    client.emplace(*client_context, Role::kClient);
  }

  void set_time(Instant t) {
    now = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
    VirtualOpenssl::set_time(now);
  }

  void exchange_fingerprints() {
    server->set_remote_fingerprint("sha-256 " + client_context->certificate().fingerprint());
    client->set_remote_fingerprint("sha-256 " + server_context->certificate().fingerprint());
  }

  // Puts what a side has made onto the link.
  void flush(bool from_client) {
    Output& out = from_client ? client_out : server_out;
    for (Bytes& datagram : out.datagrams) {
      ++sent;
      largest = std::max(largest, datagram.size());
      trace.insert(trace.end(), datagram.begin(), datagram.end());
      const bool lost = drop ? drop(from_client, datagram) : loss_rng.below(1'000) < loss * 1'000;
      if (!lost) link.emplace(now.mono + kOneWay, std::pair(!from_client, std::move(datagram)));
    }
    out.datagrams.clear();
  }

  void start() {
    exchange_fingerprints();
    server->start(now, server_out);
    client->start(now, client_out);
    flush(true);
  }

  // Runs until `deadline` or until nothing is left to happen.
  void run(Duration length) {
    const Instant deadline = now.mono + length;
    for (;;) {
      const Instant arrival = link.empty() ? kNever : link.begin()->first;
      const Instant next = std::min({arrival, client->next_timeout(), server->next_timeout()});
      if (next > deadline) break;
      set_time(std::max(next, now.mono));
      if (arrival <= now.mono) {
        const auto [to_client, datagram] = std::move(link.begin()->second);
        link.erase(link.begin());
        deliver(to_client, datagram);
      } else {
        if (client->next_timeout() <= now.mono) client->on_timeout(now, client_out);
        if (server->next_timeout() <= now.mono) server->on_timeout(now, server_out);
      }
      flush(true);
      flush(false);
    }
    set_time(deadline);
  }

  void deliver(bool to_client, ByteView datagram) {
    if (to_client) {
      client->on_datagram(now, datagram, client_out);
    } else {
      server->on_datagram(now, datagram, server_out);
    }
  }

  bool connected() const { return client->state() == State::kConnected && server->state() == State::kConnected; }

  SeededRng rng;
  SeededRng loss_rng;
  VirtualOpenssl openssl;
  double loss;
  std::function<bool(bool from_client, ByteView)> drop;  // instead of `loss` where it is set
  Now now{};
  std::optional<Context> server_context, client_context;
  std::optional<Transport> server, client;
  Output server_out, client_out;
  std::multimap<Instant, std::pair<bool, Bytes>> link;
  Bytes trace;  // every byte sent, in order
  size_t sent = 0;
  size_t largest = 0;
};

}  // namespace atm::dtls

#include "sdk_world.h"

#include <algorithm>

#include "control/token/claims.h"
#include "gtest/gtest.h"
#include "seeds.h"
#include "world.h"

namespace atm::sim {

namespace {
constexpr std::string_view kSecret = "the secret of the simulated server";
}  // namespace

client::Config sdk_config(const std::string& peer) {
  client::Config config;
  config.room = "room";
  config.peer = peer;
  config.receivers = {1, 1};
  return config;
}

client::SenderConfig sdk_audio(const std::string& name) {
  client::SenderConfig sender;
  sender.kind = MediaKind::kAudio;
  sender.name = name;
  return sender;
}

client::SenderConfig sdk_video(const std::string& name) {
  client::SenderConfig sender;
  sender.kind = MediaKind::kVideo;
  sender.name = name;
  sender.preferred_codecs = {Codec::kVp8};
  return sender;
}

size_t SdkClient::calls_of(const std::string& path) const {
  return static_cast<size_t>(std::count_if(calls.begin(), calls.end(), [&](const Called& called) {
    return called.call.url.find(path) != std::string::npos;
  }));
}

size_t SdkClient::frames_since(size_t receiver, Instant since) const {
  const auto it = seen.find(receiver);
  if (it == seen.end()) return 0;
  return static_cast<size_t>(std::count_if(it->second.begin(), it->second.end(),
                                           [since](const SeenFrame& frame) { return frame.at >= since; }));
}

SdkWorld::SdkWorld(uint64_t seed, LinkConfig link)
    : seed_(chosen_seed().value_or(seed)),
      rng_(seed_),
      openssl_rng_(seed_ ^ 0x55),
      openssl_(openssl_rng_),
      link_config_(link) {
  set_time(Instant{10s});
  add_server("one");
}

void SdkWorld::set_time(Instant t) {
  now_ = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
  dtls::VirtualOpenssl::set_time(now_);
}

// --- servers ----------------------------------------------------------------------------------------------------

void SdkWorld::add_server(const std::string& name) {
  auto server = std::make_unique<Server>();
  server->name = name;
  for (size_t i = 0; i < World::default_workers(); ++i) {
    server->addresses.push_back(
        {IpAddress::v4(192, 0, 2, static_cast<uint8_t>(servers_.size() + 1)), static_cast<uint16_t>(20'000 + i)});
  }
  start(*server);
  servers_.push_back(std::move(server));
}

void SdkWorld::start(Server& server) {
  server.is_up = true;
  server.workers.clear();
  for (size_t i = 0; i < server.addresses.size(); ++i) {
    node::Config config;
    config.index = i;
    config.worker_count = server.addresses.size();
    config.addresses = config.local_addresses = {server.addresses[i]};
    server.workers.push_back(std::make_unique<node::Worker>(config, now_, rng_));
  }
  control::RouterConfig config;
  config.secret = kSecret;
  config.worker_count = server.addresses.size();
  config.ice_servers = server.ice_servers;
  server.router = std::make_unique<control::Router>(std::move(config), rng_);
}

void SdkWorld::set_ice_servers(const std::string& name, token::IceServerSettings settings) {
  find_server(name)->ice_servers = std::move(settings);
  start(*find_server(name));
}

void SdkWorld::kill(const std::string& name) {
  find_server(name)->is_up = false;
}

void SdkWorld::replace(const std::string& name) {
  start(*find_server(name));
}

void SdkWorld::drain(const std::string& name) {
  Server& server = *find_server(name);
  for (size_t i = 0; i < server.workers.size(); ++i) {
    server.workers[i]->on_command(now_, {9, contract::Drain{}}, server_out_);
    pump(server, i);
  }
}

size_t SdkWorld::session_count(const std::string& name) const {
  size_t sum = 0;
  for (const auto& server : servers_) {
    if (server->name != name) continue;
    for (const auto& worker : server->workers) sum += worker->session_count();
  }
  return sum;
}

std::string SdkWorld::token(const std::string& peer, uint64_t max_bitrate_bps) {
  token::Claims claims;
  claims.room = "room";
  claims.peer = peer;
  claims.issued_at = now_.wall;
  claims.max_bitrate_bps = max_bitrate_bps;
  return token::issue(claims, kSecret);
}

SdkWorld::Server* SdkWorld::find_server(const std::string& name) {
  const auto it = std::find_if(servers_.begin(), servers_.end(), [&](const auto& s) { return s->name == name; });
  return it == servers_.end() ? nullptr : it->get();
}

// --- clients ----------------------------------------------------------------------------------------------------

SdkClient& SdkWorld::add(client::Config config) {
  auto client = std::make_unique<SdkClient>();
  client->number = static_cast<uint32_t>(clients_.size() + 1);
  client->address = {IpAddress::v4(198, 51, 100, static_cast<uint8_t>(100 + client->number)), 40'000};
  client->dtls = std::make_unique<dtls::Context>(dtls::Certificate::make(now_, rng_));
  client->up = std::make_unique<Link>(link_config_, seed_ * 1'000 + client->number * 2);
  client->down = std::make_unique<Link>(link_config_, seed_ * 1'000 + client->number * 2 + 1);
  if (config.urls.empty()) config.urls = {url("one")};
  if (config.token.empty()) config.token = token(config.peer);
  client->session = std::make_unique<client::Session>(std::move(config), *client->dtls, rng_);
  clients_.push_back(std::move(client));
  SdkClient& added = *clients_.back();
  call(added, [&](client::Output& out) { added->set_addresses(now_, {added.address}, out); });
  return added;
}

SdkClient& SdkWorld::join(client::Config config) {
  SdkClient& client = add(std::move(config));
  call(client, [&](client::Output& out) { client->connect(now_, out); });
  expect_state(client, client::State::kConnected, 10s);
  return client;
}

void SdkWorld::expect_state(SdkClient& client, client::State state, Duration limit) {
  EXPECT_TRUE(run_until([&] { return client->state() == state; }, limit))
      << "its state is " << static_cast<int>(client->state()) << ", seed " << seed_;
}

void SdkWorld::call(SdkClient& client, const std::function<void(client::Output& out)>& call) {
  client::Output out{client_out_, calls_out_, events_out_};
  call(out);
  flush(client);
}

std::optional<Error> SdkWorld::ask(SdkClient& client,
                                   const std::function<void(uint64_t request, client::Output& out)>& request) {
  const uint64_t number = next_request_++;
  call(client, [&](client::Output& out) { request(number, out); });
  EXPECT_TRUE(run_until([&] { return client.done.contains(number); }, 15s)) << "no answer, seed " << seed_;
  return client.done[number];
}

Encoder& SdkWorld::encode(SdkClient& client, size_t sender, uint64_t bps) {
  Encoder encoder;
  encoder.sender = sender;
  const client::SenderConfig& config = client->publisher(sender).config();
  encoder.kind = config.kind;
  encoder.next = now_.mono;
  encoder.layer_bps.assign(config.simulcast ? client::kMaxSimulcastLayers : 1, bps);
  for (const auto& target : client.told<client::TargetChanged>()) {
    if (target.sender == sender) encoder.layer_bps = target.layer_bps;
  }
  client.encoders.push_back(encoder);
  return client.encoders.back();
}

// --- time -------------------------------------------------------------------------------------------------------

bool SdkWorld::run(Instant deadline, const std::function<bool()>& until) {
  while (!until || !until()) {
    const Instant next = next_event();
    if (next > deadline) {
      set_time(deadline);
      return until ? until() : true;
    }
    set_time(std::max(next, now_.mono));
    step();
  }
  return true;
}

Instant SdkWorld::next_event() const {
  Instant next = in_flight_.empty() ? kNever : in_flight_.begin()->first.first;
  if (!requests_.empty()) next = std::min(next, requests_.begin()->first);
  if (!answers_.empty()) next = std::min(next, answers_.begin()->first);
  if (!later_.empty()) next = std::min(next, later_.begin()->first);
  for (const auto& server : servers_) {
    if (!server->is_up) continue;
    for (const auto& worker : server->workers) next = std::min(next, worker->next_timeout());
  }
  for (const auto& client : clients_) {
    next = std::min(next, client->session->next_timeout());
    for (const Encoder& encoder : client->encoders) {
      if (encoder.is_on) next = std::min(next, encoder.next);
    }
  }
  return next;
}

template <typename Map>
auto take_first(Map& map) {
  auto value = std::move(map.begin()->second);
  map.erase(map.begin());
  return value;
}

void SdkWorld::step() {
  while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_.mono) {
    const InFlight datagram = take_first(in_flight_);
    if (deliver_to_server(datagram)) continue;
    if (SdkClient* client = find_client(datagram.to)) deliver_to_client(*client, datagram);
  }
  while (!later_.empty() && later_.begin()->first <= now_.mono) take_first(later_)();
  while (!requests_.empty() && requests_.begin()->first <= now_.mono) handle(take_first(requests_));
  while (!answers_.empty() && answers_.begin()->first <= now_.mono) {
    Answer reply = take_first(answers_);
    SdkClient& client = *clients_[reply.client - 1];
    call(client, [&](client::Output& out) { client->on_reply(now_, reply.id, std::move(reply.body), out); });
  }
  for (const auto& server : servers_) {
    for (size_t i = 0; server->is_up && i < server->workers.size(); ++i) {
      if (server->workers[i]->next_timeout() > now_.mono) continue;
      server->workers[i]->on_timeout(now_, server_out_);
      pump(*server, i);
    }
  }
  for (const auto& client : clients_) {
    encode_due(*client);
    if (client->session->next_timeout() > now_.mono) continue;
    call(*client, [&](client::Output& out) { client->session->on_timeout(now_, out); });
  }
}

// --- encoders ---------------------------------------------------------------------------------------------------

void SdkWorld::encode_due(SdkClient& client) {
  constexpr Duration kAudioFrame = 20ms, kVideoFrame = 33'333us;
  for (Encoder& encoder : client.encoders) {
    if (!encoder.is_on || encoder.next > now_.mono) continue;
    encoder.next = now_.mono + (encoder.kind == MediaKind::kAudio ? kAudioFrame : kVideoFrame);
    if (encoder.kind == MediaKind::kAudio) {
      encode_frame(client, encoder, 0);
    } else {
      for (uint8_t layer = 0; layer < encoder.layer_bps.size(); ++layer) {
        if (encoder.layer_bps[layer] > 0) encode_frame(client, encoder, layer);
      }
    }
    ++encoder.counter;
  }
}

// Opus: a code-0 packet of 20 ms (RFC 6716 3.1). VP8: the frame tag, for a key frame with start code and size
// (RFC 6386 9.1). Then the time, the counter and the layer; the rest is filling.
void SdkWorld::encode_frame(SdkClient& client, Encoder& encoder, uint8_t layer) {
  constexpr size_t kAudioBytes = 80, kHead = 10, kTag = 13;
  const bool is_video = encoder.kind == MediaKind::kVideo;
  const bool is_key = is_video && encoder.is_key_due[layer];
  Bytes bytes(is_video ? std::max<size_t>(encoder.layer_bps[layer] / 8 / 30, kHead + kTag) : kAudioBytes, 0x5a);
  std::fill_n(bytes.begin(), kHead, uint8_t{0});
  bytes[0] = is_video ? (is_key ? 0x10 : 0x11) : 0xf8;
  if (is_key) {
    const uint8_t head[] = {
        0x9d, 0x01, 0x2a, static_cast<uint8_t>((160 << layer) & 0xff), static_cast<uint8_t>((160 << layer) >> 8),
        90,   0};
    std::copy(std::begin(head), std::end(head), bytes.begin() + 3);
    encoder.is_key_due[layer] = false;
    ++encoder.key_frames[layer];
  }
  const Instant captured_at = now_.mono - encoder.latency;
  const auto captured_us = static_cast<uint64_t>(to_us(captured_at.time_since_epoch()));
  store_u32(bytes.data() + kHead, static_cast<uint32_t>(captured_us >> 32));
  store_u32(bytes.data() + kHead + 4, static_cast<uint32_t>(captured_us));
  store_u32(bytes.data() + kHead + 8, encoder.counter);
  bytes[kHead + 12] = layer;
  encoder.bytes[layer] += bytes.size();
  client::OutgoingFrame frame;
  frame.codec = is_video ? Codec::kVp8 : Codec::kOpus;
  frame.bytes = bytes;
  frame.layer = layer;
  frame.captured_at = captured_at;
  if (!is_video) frame.audio_level = uint8_t{20};
  call(client, [&](client::Output& out) {
    const auto sent = client->send_frame(now_, encoder.sender, frame, out);
    EXPECT_TRUE(sent) << sent.error().why;
  });
}

void SdkWorld::take_event(SdkClient& client, client::Event event) {
  if (auto* frame = std::get_if<client::FrameReceived>(&event)) {
    constexpr size_t kHead = 10;
    if (frame->bytes.size() < kHead + 13) {
      ++client.concealed[frame->receiver];
      return;
    }
    const uint8_t* tag = frame->bytes.data() + kHead;
    const uint64_t captured_us = uint64_t{load_u32(tag)} << 32 | load_u32(tag + 4);
    client.seen[frame->receiver].push_back({now_.mono, frame->render_at,
                                            Instant{std::chrono::microseconds(captured_us)}, load_u32(tag + 8), tag[12],
                                            frame->is_key, frame->bytes.size()});
    return;
  }
  if (const auto* done = std::get_if<client::RequestDone>(&event)) client.done[done->request] = done->error;
  if (const auto* wanted = std::get_if<client::StreamWanted>(&event)) open_stream(client, *wanted);
  if (const auto* wanted = std::get_if<client::ResolveWanted>(&event)) {
    later_.emplace(now_.mono + 20ms, [this, &client, host = wanted->host] {
      call(client, [&](client::Output& out) { client->on_resolved(now_, host, names[host], out); });
    });
  }
  for (Encoder& encoder : client.encoders) {
    const auto* wanted = std::get_if<client::KeyFrameWanted>(&event);
    if (wanted != nullptr && wanted->sender == encoder.sender) encoder.is_key_due[wanted->layer] = true;
    const auto* target = std::get_if<client::TargetChanged>(&event);
    if (target == nullptr || target->sender != encoder.sender) continue;
    for (size_t i = 0; i < target->layer_bps.size(); ++i) {
      if (encoder.layer_bps[i] == 0) encoder.is_key_due[i] = true;  // it comes on
    }
    encoder.layer_bps = target->layer_bps;
  }
  client.events.push_back({now_.mono, std::move(event)});
}

}  // namespace atm::sim

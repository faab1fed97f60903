// What a test of one property has (properties_test.cpp): a room of its own on a server, sessions in it that publish by
// themselves, and viewers. No test hangs on another property than its own: whoever is looked for is known by two of
// peer, name and label; senders and receivers are made after the session.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "synthetic.h"
#include "world.h"

namespace atm0s::test {

struct Publisher {
  std::string peer, name, label;
  std::unique_ptr<Session> session;
  std::optional<Sender> sender;
  std::shared_ptr<EncodedVideoSource> video;
  std::shared_ptr<EncodedAudioSource> audio;
  std::unique_ptr<Pump> pump;
};

class Scene {
 public:
  Scene();

  // On another server than that of all tests, which has the same secret; with these options.
  void move_to(std::string url) { url_ = std::move(url); }
  RuntimeOptions options;

  SessionConfig config(const std::string& peer) const;
  std::unique_ptr<Session> connect(SessionConfig config) const;
  std::unique_ptr<Session> viewer(SessionConfig config) const { return connect(std::move(config)); }
  std::unique_ptr<Session> viewer() const { return connect(config("viewer")); }

  // A session with one sender that goes on by itself.
  Publisher publish(SessionConfig config, SenderConfig sender, Codec codec = Codec::kVp8, int level = -20) const;
  Publisher publish(SenderConfig sender, Codec codec = Codec::kVp8) const;
  void add(Publisher& out, SenderConfig sender, Codec codec = Codec::kVp8, int level = -20) const;
  // Nothing but names: the rest is the test's.
  Publisher publisher() const;

  static std::optional<StreamInfo> known(Session& viewer, const Publisher& publisher);
  static StreamInfo find(Session& viewer, const Publisher& publisher);
  static Receiver view(Session& viewer, const Publisher& publisher);
  // The codec of what comes.
  static std::optional<Codec> seen(Receiver receiver, std::chrono::milliseconds patience = 2s);
  static bool is_heard(Receiver receiver, std::chrono::milliseconds patience = 2s);

  const std::string& url() const { return url_; }
  const std::string& id() const { return id_; }

 private:
  static bool is_of(const StreamInfo& info, const Publisher& publisher);

  const std::string id_;
  std::string url_;
};

// A test, and with which switches (ignoring/ignored.cpp) it has to fail: the property, where its value differs from
// what is without it, and the value.
struct Property {
  std::string name;
  std::vector<std::string> switches;
  std::function<void(Scene&)> body;

  friend void PrintTo(const Property& property, std::ostream* out) { *out << property.name; }
};

// A file each.
std::vector<Property> session_properties();
std::vector<Property> sender_properties();
std::vector<Property> latency_properties();
std::vector<Property> rate_properties();
std::vector<Property> ice_properties();

}  // namespace atm0s::test

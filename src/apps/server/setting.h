// The table of settings: name, help, and how a text becomes a value of Config. For config.cpp, which finds the texts,
// and for --help, so that neither can forget one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/config.h"

namespace atm::server {

enum class Shape : uint8_t { kOne, kList, kSwitch };

struct Setting {
  std::string_view name;  // "media-ip": flag --media-ip, variable ATM0S_MEDIA_IP, key media_ip
  Shape shape;
  std::string_view value;  // what --help shows for it: "ADDRESS:PORT"
  std::string_view help;
  // What is wrong with `texts`, or "". One text, but for lists.
  std::string (*apply)(const std::vector<std::string>& texts, Config& config);
};

std::span<const Setting> settings();
std::string flag_name(const Setting& setting);      // "--media-ip"
std::string variable_name(const Setting& setting);  // "ATM0S_MEDIA_IP"
std::string key_name(const Setting& setting);       // "media_ip"

std::string help_text();

}  // namespace atm::server

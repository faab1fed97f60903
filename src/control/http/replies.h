// The replies of the HTTP interface and the headers that they all carry. For the router alone.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/http.h"

namespace atm::control {

struct Asset;

contract::HttpReply json_reply(unsigned status, std::string body);
contract::HttpReply error_reply(unsigned status, const Error& error);
contract::HttpReply text_reply(std::string content_type, std::string body);
contract::HttpReply preflight_reply();
contract::HttpReply method_not_allowed_reply(std::string allowed);
contract::HttpReply too_often_reply();
contract::HttpReply asset_reply(const Asset& asset);

}  // namespace atm::control

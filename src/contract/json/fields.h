// Typed reading of a JSON object that a stranger sent. For the parsers of this folder alone: no one else includes it.
// The first problem is kept and names the field; later reads give defaults, so a parser reads all fields in a row and
// asks once. A field that is null counts as absent; one that nobody reads is ignored.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atm::json {

// The first thing that was wrong with a document.
class Problem {
 public:
  void set(ErrorCode code, std::string why) {
    if (!error_) error_ = Error{code, std::move(why)};
  }
  bool found() const { return error_.has_value(); }
  Error take() { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

// False (and a problem) when `text` is no JSON document within the limits. Accepts nothing but valid UTF-8.
bool parse_document(std::string_view text, nlohmann::json& out, Problem& problem);

enum class Text : uint8_t {
  kFree,  // anything that JSON can hold: SDP, labels, metadata
  kName,  // not empty, no control characters: it goes into keys, logs and event names
};

class Fields {
 public:
  // `where` names the object in problems: "" for the document, "senders[2]" inside.
  Fields(const nlohmann::json& value, std::string where, Problem& problem);

  bool has(std::string_view name) const;      // there and not null
  bool is_null(std::string_view name) const;  // there and null

  std::string text(std::string_view name, size_t bytes_max, Text rule) const;  // required
  std::optional<std::string> optional_text(std::string_view name, size_t bytes_max, Text rule) const;
  bool flag(std::string_view name, bool fallback) const;
  bool required_flag(std::string_view name) const;
  // A whole number from 0; a fraction is cut off. Above `limit`: a problem with `over`, or `limit` with clamped().
  uint64_t number(std::string_view name, uint64_t fallback, uint64_t limit,
                  ErrorCode over = ErrorCode::kInvalidRequest) const;
  uint64_t clamped(std::string_view name, uint64_t fallback, uint64_t limit) const;
  std::optional<uint64_t> optional_number(std::string_view name, uint64_t limit) const;

  // Required: a whole number from `least` to 0.
  int number_below_zero(std::string_view name, int least) const;

  Fields object(std::string_view name) const;  // required
  std::optional<Fields> optional_object(std::string_view name) const;
  std::vector<Fields> objects(std::string_view name, size_t count_max) const;  // absent: none
  std::vector<std::string> texts(std::string_view name, size_t count_max, size_t bytes_max) const;
  std::vector<uint64_t> numbers(std::string_view name, size_t count_max, uint64_t limit) const;  // whole ones, from 0

  // The text `member` of the object `name`, if both are there; for data that may be of any type.
  std::optional<std::string> member_text(std::string_view name, std::string_view member) const;

  void problem(std::string_view name, std::string_view what, ErrorCode code = ErrorCode::kInvalidRequest) const;

 private:
  const nlohmann::json* find(std::string_view name) const;  // nullptr when absent or null
  const nlohmann::json* find_list(std::string_view name, size_t count_max) const;
  std::string path(std::string_view name) const;
  std::string checked_text(const nlohmann::json& value, std::string_view name, size_t bytes_max, Text rule) const;

  const nlohmann::json* object_;  // nullptr when the value was no object
  std::string where_;
  Problem* problem_;
};

}  // namespace atm::json

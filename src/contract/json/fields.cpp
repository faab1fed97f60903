#include "contract/json/fields.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "contract/json/limits.h"

namespace atm::json {
namespace {

// Brackets outside of strings; whether they match is for the parser to say. Done first so that the parser's own
// containers never get deep.
bool nesting_within(std::string_view text, size_t limit) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') in_string = true;
    if ((c == '{' || c == '[') && ++depth > limit) return false;
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return true;
}

bool has_control_characters(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

bool parse_document(std::string_view text, nlohmann::json& out, Problem& problem) {
  if (text.size() > kMaxDocumentBytes) {
    problem.set(ErrorCode::kTooLarge, "the document is over 1 MiB");
    return false;
  }
  if (!nesting_within(text, kMaxNesting)) {
    problem.set(ErrorCode::kInvalidRequest, "the document is nested too deeply");
    return false;
  }
  out = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (out.is_discarded()) {
    problem.set(ErrorCode::kInvalidRequest, "the document is not valid JSON");
    return false;
  }
  return true;
}

Fields::Fields(const nlohmann::json& value, std::string where, Problem& problem)
    : object_(value.is_object() ? &value : nullptr), where_(std::move(where)), problem_(&problem) {
  if (object_ == nullptr) {
    problem_->set(ErrorCode::kInvalidRequest, (where_.empty() ? "the document" : where_) + ": must be an object");
  }
}

std::string Fields::path(std::string_view name) const {
  return where_.empty() ? std::string(name) : where_ + "." + std::string(name);
}

void Fields::problem(std::string_view name, std::string_view what, ErrorCode code) const {
  problem_->set(code, path(name) + ": " + std::string(what));
}

const nlohmann::json* Fields::find(std::string_view name) const {
  if (object_ == nullptr) return nullptr;
  const auto it = object_->find(name);
  return it == object_->end() || it->is_null() ? nullptr : &*it;
}

bool Fields::has(std::string_view name) const {
  return find(name) != nullptr;
}

bool Fields::is_null(std::string_view name) const {
  if (object_ == nullptr) return false;
  const auto it = object_->find(name);
  return it != object_->end() && it->is_null();
}

std::string Fields::checked_text(const nlohmann::json& value, std::string_view name, size_t bytes_max,
                                 Text rule) const {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) {
    problem(name, "must be a string");
    return {};
  }
  if (text->size() > bytes_max) {
    problem(name, "must be at most " + std::to_string(bytes_max) + " bytes");
    return {};
  }
  if (rule == Text::kName && text->empty()) problem(name, "must not be empty");
  if (rule == Text::kName && has_control_characters(*text)) problem(name, "must hold no control characters");
  return *text;
}

std::string Fields::text(std::string_view name, size_t bytes_max, Text rule) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) {
    problem(name, "is missing");
    return {};
  }
  return checked_text(*value, name, bytes_max, rule);
}

std::optional<std::string> Fields::optional_text(std::string_view name, size_t bytes_max, Text rule) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  return checked_text(*value, name, bytes_max, rule);
}

bool Fields::flag(std::string_view name, bool fallback) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) {
    problem(name, "must be true or false");
    return fallback;
  }
  return value->get<bool>();
}

bool Fields::required_flag(std::string_view name) const {
  if (!has(name)) problem(name, "is missing");
  return flag(name, false);
}

std::optional<uint64_t> Fields::optional_number(std::string_view name, uint64_t limit) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) return std::min(value->get<uint64_t>(), limit);
  if (value->is_number_float()) {
    // JavaScript has one kind of number: 0.3 * 1.5e6 is 450000.00000000006 there.
    const double number = value->get<double>();
    if (number >= 0 && std::isfinite(number)) {
      return number >= static_cast<double>(limit) ? limit : static_cast<uint64_t>(number);
    }
  }
  problem(name, value->is_number() ? "must not be negative" : "must be a number");
  return 0;
}

uint64_t Fields::clamped(std::string_view name, uint64_t fallback, uint64_t limit) const {
  return optional_number(name, limit).value_or(fallback);
}

uint64_t Fields::number(std::string_view name, uint64_t fallback, uint64_t limit, ErrorCode over) const {
  const uint64_t value = optional_number(name, limit + 1).value_or(fallback);
  if (value > limit) problem(name, "must be at most " + std::to_string(limit), over);
  return std::min(value, limit);
}

int Fields::number_below_zero(std::string_view name, int least) const {
  const nlohmann::json* value = find(name);
  if (value != nullptr && value->is_number_integer()) {
    const auto number = value->get<int64_t>();
    if (number >= least && number <= 0) return static_cast<int>(number);
  }
  problem(name, "must be a whole number from " + std::to_string(least) + " to 0");
  return least;
}

Fields Fields::object(std::string_view name) const {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  const nlohmann::json* value = find(name);
  if (value == nullptr) problem(name, "is missing");
  return Fields(value == nullptr ? kEmpty : *value, path(name), *problem_);
}

std::optional<Fields> Fields::optional_object(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  return object(name);
}

std::optional<std::string> Fields::member_text(std::string_view name, std::string_view member) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr || !value->is_object()) return std::nullopt;
  const auto it = value->find(member);
  if (it == value->end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

// Null when it is absent; and when it is none, or too long: that is a problem then.
const nlohmann::json* Fields::find_list(std::string_view name, size_t count_max) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    problem(name, "must be a list");
  } else if (value->size() > count_max) {
    problem(name, "must hold at most " + std::to_string(count_max), ErrorCode::kTooMany);
  } else {
    return value;
  }
  return nullptr;
}

std::vector<Fields> Fields::objects(std::string_view name, size_t count_max) const {
  std::vector<Fields> out;
  const nlohmann::json* value = find_list(name, count_max);
  if (value == nullptr) return out;
  for (const nlohmann::json& item : *value) {
    out.emplace_back(item, path(name) + "[" + std::to_string(out.size()) + "]", *problem_);
  }
  return out;
}

std::vector<std::string> Fields::texts(std::string_view name, size_t count_max, size_t bytes_max) const {
  std::vector<std::string> out;
  const nlohmann::json* value = find_list(name, count_max);
  if (value == nullptr) return out;
  for (const nlohmann::json& item : *value) {
    const std::string place = std::string(name) + "[" + std::to_string(out.size()) + "]";
    out.push_back(checked_text(item, place, bytes_max, Text::kName));
  }
  return out;
}

std::vector<uint64_t> Fields::numbers(std::string_view name, size_t count_max, uint64_t limit) const {
  std::vector<uint64_t> out;
  const nlohmann::json* value = find_list(name, count_max);
  if (value == nullptr) return out;
  for (const nlohmann::json& item : *value) {
    if (item.is_number_unsigned() && item.get<uint64_t>() <= limit) {
      out.push_back(item.get<uint64_t>());
    } else {
      problem(std::string(name) + "[" + std::to_string(out.size()) + "]",
              "must be a whole number of at most " + std::to_string(limit));
      break;
    }
  }
  return out;
}

}  // namespace atm::json

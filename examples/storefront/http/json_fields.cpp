#include "http/json_fields.hpp"

#include "http/problem.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace storefront {
namespace {

const boost::json::value& required(const boost::json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (value == nullptr) throw bad_request("field \"" + std::string(name) + "\" is missing");
  return *value;
}

[[noreturn]] void refuse(std::string_view name, const std::string& legal) {
  throw bad_request("field \"" + std::string(name) + "\" must be " + legal);
}

}  // namespace

boost::json::object parse_object(std::string_view body) {
  boost::json::error_code error;
  // A body of brackets only must not overflow the stack.
  boost::json::parse_options options;
  options.max_depth = 16;
  auto value = boost::json::parse(body, error, {}, options);
  if (error) throw bad_request("the body is not valid JSON");
  if (!value.is_object()) throw bad_request("the body must be a JSON object");
  return std::move(value.as_object());
}

std::int64_t integer_field(const boost::json::object& from, std::string_view name,
                           std::int64_t least, std::int64_t most) {
  const auto* value = required(from, name).if_int64();
  if (value == nullptr || *value < least || *value > most) {
    refuse(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *value;
}

std::string text_field(const boost::json::object& from, std::string_view name, std::size_t most) {
  const auto* value = required(from, name).if_string();
  auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (value == nullptr || value->empty() || value->size() > most ||
      std::any_of(value->begin(), value->end(), control)) {
    refuse(name, "a text of 1 to " + std::to_string(most) + " bytes without control characters");
  }
  return {value->data(), value->size()};
}

const boost::json::array& array_field(const boost::json::object& from, std::string_view name,
                                      std::size_t most) {
  const auto* value = required(from, name).if_array();
  if (value == nullptr || value->empty() || value->size() > most) {
    refuse(name, "an array of 1 to " + std::to_string(most) + " elements");
  }
  return *value;
}

}  // namespace storefront

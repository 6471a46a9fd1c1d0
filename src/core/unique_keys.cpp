#include "core/unique_keys.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace scalekit::detail {
namespace {

namespace json = boost::json;

/// Receives the events of a parse, and ends it at a repeated key.
struct key_watch {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  /// The keys of each object that is open.
  std::vector<std::set<std::string>> open;
  std::string key;
  std::optional<std::string> repeated;

  bool on_object_begin(json::error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    open.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key.append(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& failure) {
    key.append(part);
    auto whole = std::exchange(key, {});
    if (open.back().insert(whole).second) return true;
    repeated = std::move(whole);
    failure = json::make_error_code(json::error::syntax);
    return false;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

std::optional<std::string> find_repeated_key(std::string_view json_text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  json::basic_parser<key_watch> parser(options);
  json::error_code failure;
  parser.write_some(false, json_text.data(), json_text.size(), failure);
  return std::move(parser.handler().repeated);
}

}  // namespace scalekit::detail

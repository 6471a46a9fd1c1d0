// What comes back from a client as a cursor. Whatever the text: a cursor that is accepted is
// exactly the one that is made of its fields, any fields survive a round trip, and no target breaks
// out of the Link header.

#include "scalekit/core/error.hpp"
#include "scalekit/http/keyset.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace scalekit;

namespace {

constexpr std::size_t field_counts[] = {0, 1, 2, 3, 16};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_decoding(std::string_view text) {
  std::size_t accepted = 0;
  for (const auto expected : field_counts) {
    const auto fields = http::decode_cursor(text, expected);
    if (!fields) continue;
    const std::vector<std::string_view> views(fields->begin(), fields->end());
    require(views.size() == expected && http::encode_cursor(views) == text);
    ++accepted;
  }
  require(accepted <= 1);
}

/// A cursor made of the input, so that most inputs get behind the checksum.
void check_round_trip(std::string_view input) {
  std::vector<std::string_view> fields;
  while (!input.empty()) {
    const auto end = std::min(input.find('\n'), input.size());
    fields.push_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  try {
    const auto text = http::encode_cursor(fields);
    const auto decoded = http::decode_cursor(text, fields.size());
    require(text.size() <= http::max_cursor_size && decoded.has_value());
    require(std::equal(fields.begin(), fields.end(), decoded->begin(), decoded->end()));
    check_decoding(text.substr(0, text.size() - 1));
  } catch (const error& e) {
    require(e.code() == errc::too_large);
  }
}

void check_link(std::string_view target) {
  try {
    const auto link = http::next_link(target, "cursor");
    const auto end = link.value.find('>');
    require(link.value.substr(end) == ">; rel=\"next\"");
    require(link.value.find_first_of(" \r\n\t\"") > end);
    require(link.value.substr(0, end).ends_with("after=cursor"));
  } catch (const error& e) {
    require(e.code() == errc::invalid_argument);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_decoding(input);
  check_round_trip(input);
  check_link(input);
  return 0;
}

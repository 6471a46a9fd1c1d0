// The parser of cache files. Whatever the bytes: it reads nothing beyond them, what it accepts is
// exactly what the writer would write, and one flipped bit is never accepted.

#include "cache/entry_format.hpp"
#include "cache/file_entry.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

using namespace scalekit::cache::detail;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const entry_format& format() {
  static const entry_format one = [] {
    scalekit::cache::store_params params;
    params.entries = {.compress_from = 64, .secret = std::string(16, 's')};
    params.max_value_bytes = 1 << 20;
    return entry_format(params);
  }();
  return one;
}

/// Whatever is packed comes out again.
void check_packed(const file_entry& entry) {
  entry_format::buffer buffer;
  const auto packed = format().pack(entry, buffer);
  auto bytes = encode_prefix(packed).append(packed.value);
  const auto parsed = format().parse(bytes);
  require(std::holds_alternative<file_entry>(parsed));
  require(!format().unpack(bytes, std::get<file_entry>(parsed)));
  require(bytes == entry.value);
}

void check_accepted(std::string_view bytes, const file_entry& entry) {
  require(encode_prefix(entry) + std::string(entry.value) == bytes);
  // Compressed or not: a value or none.
  std::string copy(bytes);
  const auto parsed = parse_file_entry(copy);
  (void)format().unpack(copy, std::get<file_entry>(parsed));
}

/// An entry made of the input, so that most inputs get behind the checksum.
void check_round_trip(std::string_view input) {
  if (input.size() < 4) return;
  const auto type_size = static_cast<unsigned char>(input[0]) % 8u;
  const auto key_size = static_cast<unsigned char>(input[1]) % 64u;
  const auto flip = static_cast<std::size_t>(static_cast<unsigned char>(input[2])) * 8 +
                    static_cast<unsigned char>(input[3]) % 8u;
  auto rest = input.substr(4);
  file_entry entry;
  entry.type = rest.substr(0, type_size);
  rest.remove_prefix(entry.type.size());
  entry.key = rest.substr(0, key_size);
  rest.remove_prefix(entry.key.size());
  entry.value = rest;
  entry.negative = input[3] & 1;
  check_packed(entry);
  auto bytes = encode_prefix(entry) + std::string(entry.value);

  const auto parsed = parse_file_entry(bytes);
  require(std::holds_alternative<file_entry>(parsed));
  require(std::get<file_entry>(parsed).key == entry.key);
  require(std::get<file_entry>(parsed).value == entry.value);

  if (flip / 8 >= bytes.size()) return;
  bytes[flip / 8] = static_cast<char>(bytes[flip / 8] ^ (1 << (flip % 8)));
  require(std::holds_alternative<file_fault>(parse_file_entry(bytes)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_file_entry(bytes);
  if (auto* entry = std::get_if<file_entry>(&parsed)) check_accepted(bytes, *entry);
  check_round_trip(bytes);
  return 0;
}

#include "cache/entry_format.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <variant>

using namespace scalekit::cache::detail;
using scalekit::cache::entry_params;
using scalekit::cache::store_params;

namespace {

const std::string secret(16, 's'), other_secret(16, 'o');
const std::string compressible(10'000, 'a');

file_entry entry_of(std::string_view value) {
  file_entry entry;
  entry.type = "product";
  entry.key = "product:42";
  entry.value = value;
  entry.token = {7, 9};
  entry.created_us = 1000;
  entry.fresh_until_us = 1700;
  entry.expires_us = 2000;
  return entry;
}

entry_format format_of(const entry_params& entries, const std::string& name = "shop") {
  store_params params;
  params.entries = entries;
  params.shared_namespace = name;
  params.max_value_bytes = 1 << 20;
  return entry_format(params);
}

std::string written(const entry_format& by, const file_entry& entry) {
  entry_format::buffer buffer;
  const auto packed = by.pack(entry, buffer);
  return encode_prefix(packed).append(packed.value);
}

/// Its value, or why there is none.
std::variant<std::string, file_fault> read(const entry_format& by, std::string bytes) {
  const auto parsed = by.parse(bytes);
  if (const auto* fault = std::get_if<file_fault>(&parsed)) return *fault;
  if (const auto fault = by.unpack(bytes, std::get<file_entry>(parsed))) return *fault;
  return bytes;
}

using outcome = std::variant<std::string, file_fault>;

}  // namespace

TEST_CASE("an entry that is neither compressed nor sealed is kept as it is") {
  const auto format = format_of({});
  const auto bytes = written(format, entry_of("a value"));
  CHECK(bytes == encode_prefix(entry_of("a value")) + "a value");
  CHECK(read(format, bytes) == outcome("a value"));
}

TEST_CASE("values are compressed from a size on, where it pays") {
  const auto format = format_of({.compress_from = 100});
  const auto bytes = written(format, entry_of(compressible));
  CHECK(bytes.size() < 300);
  CHECK(read(format, bytes) == outcome(compressible));
  // Whoever has not set it reads them as well.
  CHECK(read(format_of({}), bytes) == outcome(compressible));

  CHECK(written(format, entry_of(std::string(99, 'a'))).size() > 99 + file_header_bytes);
  std::string noise;
  for (unsigned x = 1; noise.size() < 1000; x = x * 1664525 + 1013904223) {
    noise.push_back(static_cast<char>(x >> 24));
  }
  CHECK(written(format, entry_of(noise)).size() > noise.size() + file_header_bytes);
  CHECK(read(format, written(format, entry_of(noise))) == outcome(noise));
}

TEST_CASE("what says that it is compressed and is not, or is too large then, gives no value") {
  auto entry = entry_of("this is no frame of zstd");
  entry.compressed = true;
  const auto format = format_of({});
  const auto damaged = encode_prefix(entry).append(entry.value);
  CHECK(read(format, damaged) == outcome(file_fault::compression));

  const std::string large((1 << 20) + 1, 'a');
  const auto bomb = written(format_of({.compress_from = 100}), entry_of(large));
  CHECK(bomb.size() < 1000);
  CHECK(read(format, bomb) == outcome(file_fault::compression));
}

TEST_CASE("with a secret only what was sealed with it gives a value") {
  const auto format = format_of({.compress_from = 100, .secret = secret});
  for (const auto& value : {std::string("a value"), compressible, std::string()}) {
    const auto bytes = written(format, entry_of(value));
    CHECK(read(format, bytes) == outcome(value));
    CHECK(read(format_of({}), bytes) == outcome(value));

    const auto refused = outcome(file_fault::seal);
    CHECK(read(format_of({.secret = other_secret}), bytes) == refused);
    CHECK(read(format_of({.secret = secret}, "another shop"), bytes) == refused);
    CHECK(read(format, written(format_of({}), entry_of(value))) == refused);
  }
}

TEST_CASE("a secret can be changed without a cold cache") {
  const auto before = format_of({.secret = secret});
  const auto after = format_of({.secret = other_secret, .previous_secret = secret});
  CHECK(read(after, written(before, entry_of("a value"))) == outcome("a value"));
  CHECK(read(before, written(after, entry_of("a value"))) == outcome(file_fault::seal));
}

TEST_CASE("nothing of a sealed entry can be changed, whatever the checksum says") {
  const auto format = format_of({.secret = secret});
  entry_format::buffer buffer;
  const auto sealed = format.pack(entry_of("a value"), buffer);
  const auto forged = [&](auto change) {
    auto entry = sealed;
    change(entry);
    return read(format, encode_prefix(entry).append(entry.value));
  };
  const auto refused = outcome(file_fault::seal);
  CHECK(forged([](file_entry&) {}) == outcome("a value"));
  CHECK(forged([](file_entry& e) { e.value = "b value"; }) == refused);
  CHECK(forged([](file_entry& e) { e.key = "product:43"; }) == refused);
  CHECK(forged([](file_entry& e) { e.type = "user"; }) == refused);
  // The same bytes, cut elsewhere.
  CHECK(forged([](file_entry& e) {
          e.type = "productp";
          e.key = "roduct:42";
        }) == refused);
  CHECK(forged([](file_entry& e) { e.negative = true; }) == refused);
  CHECK(forged([](file_entry& e) { e.compressed = true; }) == refused);
  CHECK(forged([](file_entry& e) { e.token.generation++; }) == refused);
  CHECK(forged([](file_entry& e) { e.created_us++; }) == refused);
  CHECK(forged([](file_entry& e) { e.fresh_until_us++; }) == refused);
  CHECK(forged([](file_entry& e) { e.expires_us++; }) == refused);
  CHECK(forged([](file_entry& e) { e.memory_ttl_us++; }) == refused);
  CHECK(forged([](file_entry& e) { e.seal = {}; }) == refused);
}

#include "cache/file_entry.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace scalekit::cache::detail;

namespace {

file_entry sample() {
  file_entry entry;
  entry.type = "product";
  entry.key = "product:42";
  entry.value = "a value of some length";
  entry.token = {7, 9};
  entry.created_us = 1000;
  entry.fresh_until_us = 1700;
  entry.expires_us = 2000;
  entry.memory_ttl_us = 500;
  return entry;
}

std::string bytes_of(const file_entry& entry) {
  return encode_prefix(entry) + std::string(entry.value);
}

}  // namespace

TEST_CASE("an entry is read as it was written") {
  const auto bytes = bytes_of(sample());
  const auto parsed = parse_file_entry(bytes);
  REQUIRE(std::holds_alternative<file_entry>(parsed));
  const auto& entry = std::get<file_entry>(parsed);

  CHECK(entry.type == "product");
  CHECK(entry.key == "product:42");
  CHECK(entry.value == "a value of some length");
  CHECK(entry.token == fill_token{7, 9});
  CHECK(entry.created_us == 1000);
  CHECK(entry.fresh_until_us == 1700);
  CHECK(entry.expires_us == 2000);
  CHECK(entry.memory_ttl_us == 500);
  CHECK_FALSE(entry.negative);
}

TEST_CASE("every flipped bit is noticed") {
  const auto bytes = bytes_of(sample());
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto damaged = bytes;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    INFO("bit " << i);
    CHECK(std::holds_alternative<file_fault>(parse_file_entry(damaged)));
  }
}

TEST_CASE("every truncation, and every byte too many, is noticed") {
  const auto bytes = bytes_of(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO("length " << size);
    CHECK(std::holds_alternative<file_fault>(parse_file_entry(bytes.substr(0, size))));
  }
  CHECK(std::holds_alternative<file_fault>(parse_file_entry(bytes + '\0')));
}

TEST_CASE("faults are told apart") {
  const auto bytes = bytes_of(sample());
  auto fault = [](std::string damaged) { return std::get<file_fault>(parse_file_entry(damaged)); };
  auto with = [&](std::size_t at, char c) {
    auto copy = bytes;
    copy[at] = c;
    return copy;
  };

  CHECK(fault("") == file_fault::truncated);
  CHECK(fault(std::string(200, 'x')) == file_fault::foreign);
  CHECK(fault(with(8, 1)) == file_fault::other_version);
  CHECK(fault(bytes + "x") == file_fault::inconsistent);
  CHECK(fault(with(bytes.size() - 1, '!')) == file_fault::checksum);
  // A length that would overflow any sum.
  CHECK(fault(bytes.substr(0, 16) + std::string(8, '\xff') + bytes.substr(24)) ==
        file_fault::truncated);
}

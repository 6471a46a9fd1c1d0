#include "redis/key_slot.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace scalekit::redis::detail;

TEST_CASE("the checksum is that of the Redis Cluster specification") {
  CHECK(crc16("123456789") == 0x31c3);
  CHECK(crc16("") == 0);
}

TEST_CASE("keys are in the slots that a server says") {
  struct row {
    std::string_view key;
    std::uint16_t slot;
  };
  // CLUSTER KEYSLOT of Redis 7.0.
  for (const auto& row : {row{"123456789", 12739}, row{"somekey", 11058}, row{"foo", 12182},
                          row{"", 0}, row{"foo{hash_tag}", 2515}, row{"bar{hash_tag}", 2515}}) {
    INFO(row.key);
    CHECK(slot_of(row.key) == row.slot);
  }
  CHECK(slot_of(std::string_view("a\0b", 3)) != slot_of("a"));
}

TEST_CASE("of a hash tag only what is between the first brace and the next is hashed") {
  struct row {
    std::string_view key, hashed;
  };
  // The examples of the specification, and what is no tag.
  for (const auto& row :
       {row{"{user1000}.following", "user1000"}, row{"{user1000}.followers", "user1000"},
        row{"foo{}{bar}", "foo{}{bar}"}, row{"foo{{bar}}zap", "{bar"}, row{"foo{bar}{zap}", "bar"},
        row{"foo{bar", "foo{bar"}, row{"foo}bar{", "foo}bar{"}, row{"}{a}", "a"},
        row{"{}", "{}"}}) {
    INFO(row.key);
    CHECK(hash_tag(row.key) == row.hashed);
    CHECK(slot_of(row.key) == crc16(row.hashed) % slot_count);
  }
}

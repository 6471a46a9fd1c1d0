#include "cache/shared_frame.hpp"

#include "cache/file_entry.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit::cache::detail;

namespace {

const std::string epoch = "epoch--1";
const std::string other_epoch = "epoch--2";
const std::string token(token_bytes, 't');

}  // namespace

TEST_CASE("what stands under a key is told by its letter and its size") {
  struct row {
    std::string bytes;
    frame_kind kind;
  };
  const std::vector<row> rows{
      {make_value(epoch, "entry"), frame_kind::value},
      {make_value(epoch, ""), frame_kind::value},
      {make_placeholder(epoch, token), frame_kind::placeholder},
      {make_placeholder(epoch, token + "x"), frame_kind::foreign},
      {make_placeholder(epoch, "short"), frame_kind::foreign},
      {"", frame_kind::foreign},
      {"V", frame_kind::foreign},
      {"V1234567", frame_kind::foreign},
      {"hello, world", frame_kind::foreign},
  };

  for (const auto& [bytes, kind] : rows) {
    CAPTURE(bytes);
    CHECK(parse_frame(bytes).kind == kind);
  }
  CHECK(parse_frame(make_value(epoch, "entry")).entry == "entry");
  CHECK(parse_frame(make_value(epoch, "entry")).epoch == epoch);
}

TEST_CASE("what is of another epoch is dead, what is foreign is shown") {
  CHECK(is_alive(make_value(epoch, "e"), epoch));
  CHECK(is_alive(make_placeholder(epoch, token), epoch));
  CHECK_FALSE(is_alive(make_value(epoch, "e"), other_epoch));
  CHECK_FALSE(is_alive(make_placeholder(epoch, token), other_epoch));
  CHECK(is_alive("hello, world", epoch));
}

TEST_CASE("an epoch has eight bytes") {
  CHECK(is_epoch(epoch));
  CHECK_FALSE(is_epoch(""));
  CHECK_FALSE(is_epoch("123456789"));
}

TEST_CASE(
    "two entries under one key differ in what tells them apart, and too little tells nothing") {
  file_entry entry;
  entry.type = "t";
  entry.key = "key";
  entry.value = "one";
  entry.created_us = 1;
  entry.expires_us = entry.fresh_until_us = 2;
  const auto first = make_value(epoch, encode_prefix(entry) + "one");
  entry.value = "two";
  const auto second = make_value(epoch, encode_prefix(entry) + "two");
  const auto placeholder = make_placeholder(epoch, token);

  CHECK(is_same(first, identity_of(first)));
  CHECK_FALSE(is_same(second, identity_of(first)));
  CHECK(is_same(placeholder, identity_of(placeholder)));
  CHECK_FALSE(is_same(placeholder, identity_of(first)));
  CHECK(identity_of("short").empty());
  CHECK_FALSE(is_same("short", identity_of("short")));
}

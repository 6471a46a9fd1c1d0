#include "command_line.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

bench::command_line parsed(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  return bench::parse_command_line(pointers);
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    parsed(words);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("without arguments every case runs as often as it says") {
  const auto wanted = parsed({});

  CHECK(wanted.wants("sqlite.mixed"));
  CHECK_FALSE(wanted.runs);
  CHECK(wanted.out.empty());
}

TEST_CASE("names are beginnings, and options stand anywhere between them") {
  const auto wanted =
      parsed({"sqlite.", "--out", "r.jsonl", "core", "--runs", "5", "--traces", "t", "--list"});

  CHECK(wanted.wants("sqlite.mixed"));
  CHECK(wanted.wants("core.histogram.record"));
  CHECK_FALSE(wanted.wants("pg.sqlite.mixed"));
  CHECK(wanted.out == "r.jsonl");
  CHECK(wanted.runs == 5);
  CHECK(wanted.traces == "t");
  CHECK(wanted.only_list);
}

TEST_CASE("so few runs that a median says little are only for a quick look") {
  CHECK(refusal({"--runs", "4"}) ==
        "--runs is 4: the median of so few says little; legal: 5 and more, or --quick for a look "
        "that is marked as one");
  CHECK(parsed({"--runs", "4", "--quick"}).runs == 4);
  CHECK(parsed({"--quick", "--runs", "9"}).runs == 9);
  CHECK(parsed({"--quick"}).runs == 1);
}

TEST_CASE("what is no option, or has no value, is refused") {
  struct row {
    std::vector<std::string> words;
    std::string text;
  };
  const std::vector<row> rows{
      {{"--runs"}, "--runs needs a value"},
      {{"--out"}, "--out needs a value"},
      {{"--runs", "many"}, "--runs is \"many\"; legal: 1 and more"},
      {{"--runs", "7x"}, "--runs is \"7x\"; legal: 1 and more"},
      {{"--runs", "0"}, "--runs is \"0\"; legal: 1 and more"},
      {{"--rnus", "7"}, "unknown option --rnus"},
  };

  for (const auto& [words, text] : rows) CHECK(refusal(words) == text);
}

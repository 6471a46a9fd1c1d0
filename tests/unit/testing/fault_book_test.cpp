#include "testing/fault_book.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit::testing;
using scalekit::errc;
using scalekit::testing::detail::fault_book;
using scalekit::testing::detail::injected;

namespace {

const auto here = std::source_location::current();

const logged_call read_stock{.kind = call_kind::read, .text = "select n from stock"};
const logged_call write_stock{.kind = call_kind::write, .text = "update stock set n = $1"};
const logged_call write_in_transaction{
    .kind = call_kind::write, .text = "update stock set n = $1", .in_transaction = true};
const logged_call begin{.kind = call_kind::begin};
const logged_call commit{.kind = call_kind::commit, .in_transaction = true};

/// Which of `calls` meet the fault, one after the other: "-x-".
std::string those_that_meet(fault f, const std::vector<logged_call>& calls) {
  fault_book book;
  book.add(std::move(f), here);
  std::string met;
  for (const auto& one : calls) met += book.meet({one}).by ? 'x' : '-';
  return met;
}

std::string refusal(fault f) {
  fault_book book;
  try {
    book.add(std::move(f), here);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a fault meets the calls that it is for") {
  const std::vector<logged_call> calls{read_stock, write_stock, write_in_transaction, begin,
                                       commit};
  struct row {
    fault f;
    std::string met;
  };
  const std::vector<row> rows{
      {{.error = errc::unavailable, .times = fault::unlimited}, "xxxxx"},
      {{.error = errc::unavailable}, "x----"},
      {{.error = errc::unavailable, .times = 2}, "xx---"},
      {{.on = call_kind::read, .error = errc::shed, .times = 9}, "x----"},
      {{.on = call_kind::write, .error = errc::shed, .times = 9}, "-xx--"},
      {{.on = call_kind::begin, .error = errc::acquire_timeout}, "---x-"},
      {{.on = call_kind::commit, .error = errc::conflict}, "----x"},
      {{.text = "stock set", .error = errc::shed, .times = 9}, "-xx--"},
      {{.text = "STOCK", .error = errc::shed, .times = 9}, "-----"},
      {{.every = 2, .error = errc::shed, .times = fault::unlimited}, "-x-x-"},
      {{.every = 2, .error = errc::shed}, "-x---"},
      {{.on = call_kind::write, .every = 2, .error = errc::shed}, "--x--"},
      {{.on = call_kind::write, .error = errc::commit_in_doubt, .times = 9}, "-x---"},
      {{.on = call_kind::commit, .error = errc::commit_in_doubt, .is_made = true}, "----x"},
  };

  for (const auto& [f, met] : rows) CHECK(those_that_meet(f, calls) == met);
}

TEST_CASE("a call meets the oldest fault that is for it, and is not counted by younger ones") {
  fault_book book;
  const auto first = book.add({.error = errc::shed}, here);
  const auto second = book.add({.every = 2, .error = errc::unavailable}, here);

  CHECK(book.meet({read_stock}).by == first);
  CHECK(book.meet({read_stock}).by == nullptr);
  const auto met = book.meet({read_stock});
  CHECK(met.by == second);
  CHECK(met.number == 1);
  CHECK(book.meet({read_stock}).by == nullptr);
}

TEST_CASE("the statements of a batch are one call") {
  fault_book book;
  const auto f = book.add({.text = "stock", .error = errc::shed, .times = 2}, here);

  CHECK(book.meet({begin, read_stock, write_stock}).by == f);
  CHECK(f->met == 1);
  CHECK(book.log().size() == 3);
}

TEST_CASE("what is not used up is told with its place") {
  fault_book book;
  const auto twice = book.add({.error = errc::shed, .times = 2}, here);
  const auto outage =
      book.add({.on = call_kind::commit, .error = errc::shed, .times = fault::unlimited}, here);
  const auto place = "the fault injected at fault_book_test.cpp:" + std::to_string(here.line());

  book.meet({read_stock});
  CHECK(book.left() ==
        std::vector<std::string>{place + " was met 1 times, 2 wanted", place + " was met 0 times"});

  book.meet({read_stock});
  book.meet({commit});
  CHECK(book.left().empty());
}

TEST_CASE("a fault that was removed meets nothing, and is not left") {
  fault_book book;
  const auto one = book.add({.error = errc::shed, .times = 3}, here);
  const auto other = book.add({.error = errc::unavailable}, here);

  book.remove(*one);
  CHECK(one->is_removed);
  CHECK(book.meet({read_stock}).by == other);
  CHECK(book.left().empty());

  const auto last = book.add({.error = errc::shed}, here);
  book.remove_all();
  CHECK(last->is_removed);
  CHECK(book.meet({read_stock}).by == nullptr);
}

TEST_CASE("the log has all calls, in order, with what a fault has in store for them") {
  fault_book book;
  book.add({.on = call_kind::read, .delay = 1s}, here);
  book.add({.on = call_kind::commit, .error = errc::conflict}, here);
  for (const auto& one : {begin, read_stock, write_in_transaction, commit}) book.meet({one});

  const auto& log = book.log();
  REQUIRE(log.size() == 4);
  CHECK(log[1].text == "select n from stock");
  CHECK_FALSE(log[1].fault_error.has_value());
  CHECK(log[2].in_transaction);
  CHECK(log[3].kind == call_kind::commit);
  CHECK(log[3].fault_error == errc::conflict);

  book.clear_log();
  CHECK(book.log().empty());
}

TEST_CASE("a fault that is out of range, or without effect, is refused") {
  struct row {
    fault f;
    std::string text;
  };
  const std::vector<row> rows{
      {{.every = 0, .error = errc::shed}, "fault.every is 0; legal: 1 to 1000000"},
      {{.error = errc::shed, .times = 0}, "fault.times is 0; legal: 1 and more, fault::unlimited"},
      {{.delay = 25h}, "fault.delay is 90000000 ms; legal: 0 ms to 86400000 ms"},
      {{.delay = -1ns}, "fault.delay is -1 ns; legal: 0 ms to 86400000 ms"},
      {{.delay = 1s, .hold = true}, "fault.hold is true; legal: false with a delay"},
      {{}, "fault.error is not set; legal: any, or a delay, or hold"},
      {{.on = call_kind::commit, .text = "x", .hold = true},
       "fault.text is set; legal: empty for begins and commits"},
      {{.error = errc::commit_in_doubt},
       "fault.error is commit_in_doubt; legal: that for `on` write or commit"},
      {{.on = call_kind::begin, .error = errc::commit_in_doubt},
       "fault.error is commit_in_doubt; legal: that for `on` write or commit"},
      {{.error = errc::shed, .is_made = true},
       "fault.is_made is true; legal: false but for commit_in_doubt"},
  };

  for (const auto& [f, text] : rows) CHECK(refusal(f) == text);
}

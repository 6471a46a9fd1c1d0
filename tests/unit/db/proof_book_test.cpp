#include "db/classify/proof_book.hpp"

#include "db/classify/speed_gate.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace scalekit;
using namespace scalekit::db::detail;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view text = "select 1";
constexpr time_point start = time_point{} + 1h;

void run_fast(proof_book& book, std::string_view key = text, int times = 20) {
  for (int i = 0; i < times; ++i) book.ran(key, 1ms);
}

/// A book in which `text` was proven at `start`.
void prove(proof_book& book) {
  book.admit(text, start);
  run_fast(book);
  REQUIRE(book.admit(text, start).prove);
  book.proven(text, start, start);
}

}  // namespace

TEST_CASE("20 fast runs open the gate, one slow among them does not matter") {
  speed_gate gate;

  for (int i = 0; i < 19; ++i) gate.record(i == 7 ? 6ms : 1ms, 5ms);
  CHECK_FALSE(gate.is_fast());
  gate.record(1ms, 5ms);

  CHECK(gate.is_fast());
}

TEST_CASE("two slow runs of 20 keep the gate shut until 20 better ones") {
  speed_gate gate;

  for (int i = 0; i < 20; ++i) gate.record(i < 2 ? 6ms : 1ms, 5ms);
  CHECK_FALSE(gate.is_fast());
  for (int i = 0; i < 20; ++i) gate.record(1ms, 5ms);

  CHECK(gate.is_fast());
}

TEST_CASE("a statement that becomes slow leaves, one that is slow now and then stays") {
  speed_gate steady;
  speed_gate worse;
  speed_gate stuck;
  for (auto* gate : {&steady, &worse, &stuck}) {
    for (int i = 0; i < 20; ++i) gate->record(1ms, 5ms);
  }

  for (int i = 0; i < 1000; ++i) steady.record(i % 40 == 0 ? 6ms : 1ms, 5ms);
  for (int i = 0; i < 12; ++i) worse.record(6ms, 5ms);
  stuck.record(101ms, 5ms);

  CHECK(steady.is_fast());
  CHECK_FALSE(worse.is_fast());
  CHECK_FALSE(stuck.is_fast());
}

TEST_CASE("a new statement runs alone until it is fast, then one caller is to prove it") {
  proof_book book;
  CHECK_FALSE(book.admit(text, start).share);

  run_fast(book, text, 19);
  CHECK_FALSE(book.admit(text, start).prove);
  run_fast(book, text, 1);
  const auto first = book.admit(text, start);
  const auto second = book.admit(text, start);

  CHECK(first.prove);
  CHECK_FALSE(first.share);
  CHECK_FALSE(second.prove);
  CHECK_FALSE(second.share);
}

TEST_CASE("a proven statement shares until its proof ends, and is proven anew before") {
  proof_book book;
  prove(book);

  CHECK(book.admit(text, start + 1min).share);
  CHECK_FALSE(book.admit(text, start + 1min).prove);
  const auto renewer = book.admit(text, start + 4min);
  CHECK(renewer.share);
  CHECK(renewer.prove);
  CHECK_FALSE(book.admit(text, start + 4min + 1s).prove);
  book.proven(text, start + 4min, start + 4min + 2s);

  CHECK(book.admit(text, start + 6min).share);
  CHECK_FALSE(book.admit(text, start + 9min).share);
}

TEST_CASE("a refused statement stays alone, says why, and is asked again later") {
  proof_book book;
  book.admit(text, start);
  run_fast(book);
  book.admit(text, start);

  book.refused(text, "function app.f is volatile", start, start + 1s);

  const auto before = book.admit(text, start + 5min);
  CHECK_FALSE(before.share);
  CHECK_FALSE(before.prove);
  const auto known = book.refusals(10, start + 5min);
  REQUIRE(known.size() == 1);
  CHECK(known[0].key == text);
  CHECK(known[0].reason == "function app.f is volatile");
  CHECK(book.admit(text, start + 5min + 1s).prove);
  CHECK(book.refusals(10, start + 6min).empty());
}

TEST_CASE("a renewal that refuses ends the sharing at once") {
  proof_book book;
  prove(book);
  REQUIRE(book.admit(text, start + 4min).prove);

  book.refused(text, "view app.v locks rows", start + 4min, start + 4min);

  CHECK_FALSE(book.admit(text, start + 4min).share);
}

TEST_CASE("a proof without a verdict is tried again after a while") {
  proof_book book;
  book.admit(text, start);
  run_fast(book);
  REQUIRE(book.admit(text, start).prove);

  book.abandoned(text, start, start);

  CHECK_FALSE(book.admit(text, start + 999ms).prove);
  CHECK(book.admit(text, start + 1s).prove);
}

TEST_CASE("a renewal without a verdict leaves the proof as it was") {
  proof_book book;
  prove(book);
  REQUIRE(book.admit(text, start + 4min).prove);

  book.abandoned(text, start + 4min, start + 4min);

  CHECK(book.admit(text, start + 4min + 1ms).share);
  CHECK_FALSE(book.admit(text, start + 5min).share);
}

TEST_CASE("a prover that is not heard of again is replaced, and comes too late") {
  proof_book book;
  book.admit(text, start);
  run_fast(book);
  REQUIRE(book.admit(text, start).prove);

  CHECK_FALSE(book.admit(text, start + 29s).prove);
  CHECK(book.admit(text, start + 30s).prove);
  book.proven(text, start, start + 31s);

  CHECK_FALSE(book.admit(text, start + 32s).share);
}

TEST_CASE("after clear() nothing is shared, and a proof from before does not count") {
  proof_book book;
  prove(book);
  REQUIRE(book.admit(text, start + 4min).prove);

  book.clear();
  book.proven(text, start + 4min, start + 4min);

  const auto found = book.admit(text, start + 4min);
  CHECK_FALSE(found.share);
  CHECK(found.prove);
}

TEST_CASE("a statement that became slow leaves the lane with its proof kept") {
  proof_book book;
  prove(book);

  book.ran(text, 200ms);

  CHECK_FALSE(book.admit(text, start + 1s).share);
  CHECK(book.stats(start + 1s).slow == 1);
  run_fast(book);
  CHECK(book.admit(text, start + 1s).share);
}

TEST_CASE("a shared run that fails as it must not ends the sharing") {
  proof_book book;
  prove(book);

  book.disproved(text, "SQLSTATE 25006 in a lane", start + 1s);

  CHECK_FALSE(book.admit(text, start + 2s).share);
  CHECK(book.stats(start + 2s).refused == 1);
}

TEST_CASE("the book is bounded: the least recently used go, long texts never enter") {
  proof_book book({.max_statements = 64, .longest_text = 100});

  for (int i = 0; i < 1000; ++i) book.admit("select " + std::to_string(i), start);
  const std::string longer(101, 'x');
  book.admit(longer, start);
  for (int i = 0; i < 20; ++i) book.ran(longer, 1ms);

  CHECK(book.stats(start).statements <= 64);
  CHECK_FALSE(book.admit(longer, start).prove);
}

TEST_CASE("of many callers at once, one proves") {
  proof_book book;
  book.admit(text, start);
  run_fast(book);
  std::atomic<int> provers{0};

  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (book.admit(text, start).prove) ++provers;
        book.ran(text, 1ms);
      }
    });
  }
  for (auto& caller : callers) caller.join();

  CHECK(provers == 1);
  CHECK(book.stats(start).proofs_started == 1);
}

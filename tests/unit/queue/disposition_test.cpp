#include "queue/disposition.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::queue;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;
using fate = settlement::fate;

namespace {

const wall_time now = from_micros(1'750'000'000'000'000);
const lease held{.job = 7, .sequence = 40, .nonce = 99};

attempt_facts facts(int errors_before, int max_attempts = 3) {
  return {.held = held,
          .past = {.errors = errors_before},
          .max_attempts = max_attempts,
          .retry = {.base = 60s, .cap = 1h},
          .now = now,
          .random = ~std::uint64_t{0} / 3};
}

}  // namespace

TEST_CASE("what an outcome does to a job") {
  struct row {
    outcome ended;
    int errors_before;
    ending as;
    fate to;
    job_history past;
  };
  const std::vector<row> table{
      {outcome::done(), 0, ending::done, fate::remove, {}},
      {outcome::discard("x"), 1, ending::discarded, fate::remove, {.errors = 1}},
      {outcome::cancel("x"), 0, ending::cancelled, fate::remove, {}},
      {outcome::snooze(5min), 2, ending::snoozed, fate::later, {.errors = 2, .snoozes = 1}},
      {outcome::snooze(0s), 0, ending::snoozed, fate::ready, {.snoozes = 1}},
      {outcome::retry("x"), 0, ending::retried, fate::later, {.errors = 1}},
      {outcome::retry("x"), 1, ending::retried, fate::later, {.errors = 2}},
      {outcome::retry("x"), 2, ending::dead, fate::dead, {.errors = 3}},
      {outcome::retry("x", 1h), 2, ending::dead, fate::dead, {.errors = 3}},
      {outcome::bury("x"), 0, ending::dead, fate::dead, {.errors = 1}},
  };

  for (std::size_t i = 0; i < table.size(); ++i) {
    CAPTURE(i);
    const auto d = after_outcome(facts(table[i].errors_before), table[i].ended);

    CHECK(d.as == table[i].as);
    CHECK(d.what.to == table[i].to);
    CHECK(d.what.past == table[i].past);
    CHECK(d.what.held == held);
  }
}

TEST_CASE("the pause before a retry is drawn below a bound that doubles up to the cap") {
  auto f = facts(0, 1000);
  for (int errors = 0; errors < 20; ++errors) {
    f.past.errors = errors;
    const auto bound = std::min<std::chrono::microseconds>(60s * (1 << std::min(errors, 10)), 1h);
    std::chrono::microseconds most{0};
    for (std::uint64_t i = 0; i < 200; ++i) {
      f.random = i * 0x9e3779b97f4a7c15;
      const auto d = after_outcome(f, outcome::retry("x"));
      const auto pause = d.what.to == fate::later ? d.what.at - now : 0us;
      CHECK(pause >= 0us);
      CHECK(pause <= bound);
      most = std::max(most, std::chrono::duration_cast<std::chrono::microseconds>(pause));
    }
    CHECK(most > bound / 2);
  }
}

TEST_CASE("a handler that knows better chooses its own pause") {
  const auto d = after_outcome(facts(0), outcome::retry("429", 17s));

  CHECK(d.what.at == now + 17s);
}

TEST_CASE("a single allowed attempt is never retried") {
  CHECK(after_outcome(facts(0, 1), outcome::retry("x")).as == ending::dead);
}

TEST_CASE("an interruption burns no attempt and is ready at once") {
  const auto d = after_interruption(facts(2));

  CHECK(d.as == ending::interrupted);
  CHECK(d.what.to == fate::ready);
  CHECK(d.what.past == job_history{.errors = 2, .interruptions = 1});
}

TEST_CASE("what was given back leaves no trace") {
  const auto d = after_return(held);

  CHECK(d.what.to == fate::ready);
  CHECK_FALSE(d.what.recorded);
}

TEST_CASE("crashes have a count and a cap of their own") {
  const orphan o{.held = held, .past = {.errors = 2, .crashes = 1}};

  const auto second = after_crash(o, 3, now);
  const auto third = after_crash({.held = held, .past = second.past}, 3, now);

  CHECK(second.to == fate::ready);
  CHECK(second.past == job_history{.errors = 2, .crashes = 2});
  CHECK(third.to == fate::dead);
  CHECK(third.reason == "its worker died (3 of 3 times)");
}

TEST_CASE("a job is suspect when one more crash is its last") {
  CHECK_FALSE(is_suspect({.crashes = 1}, 3));
  CHECK(is_suspect({.crashes = 2}, 3));
  CHECK_FALSE(is_suspect({.crashes = 0}, 2));
  CHECK(is_suspect({.crashes = 1}, 2));
}

TEST_CASE("a reason is cut between characters and loses its control characters") {
  CHECK(clean_reason("plain\ttext\n") == "plain\ttext\n");
  CHECK(clean_reason(std::string("a\0b\x1b[31m", 8)) == "a?b?[31m");
  CHECK(clean_reason("caf\xe9 caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "caf? caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(clean_reason("\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82") == "?? ??? ???? ??");
  CHECK(clean_reason(std::string(5000, 'x')).size() == 1024);
  const std::string umlauts = [] {
    std::string s = "x";
    for (int i = 0; i < 1000; ++i) s += "\xc3\xa4";
    return s;
  }();
  CHECK(clean_reason(umlauts).size() == 1023);
}

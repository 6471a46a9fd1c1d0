#include "db/classify/lane_proof.hpp"

#include "support/postgres/lane_cases.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace scalekit::db::detail;
using support::contains;

namespace {

using row = std::vector<std::optional<std::string>>;

constexpr auto null = std::nullopt;

const proof_rows plain_plan{
    {R"json([{"Plan": {"Node Type": "Result", "Output": ["f($1)"]}}])json"}};
const proof_rows no_parameters{{"parameters", null, "types", null}};

/// A proof of `select f($1)` that waits for its first names.
lane_proof asking_names() {
  lane_proof proof("select f($1)", "p", 1);
  proof.answer(plain_plan);
  proof.answer(no_parameters);
  return proof;
}

}  // namespace

TEST_CASE("a statement whose text already shows it is refused without a question") {
  for (const auto& c : scalekit::db::support::lane_cases) {
    const bool by_text = c.reason == "locks rows" || c.reason == "not a plain query";
    INFO(c.sql);
    const lane_proof proof(c.sql, "p", c.parameters);

    CHECK(proof.next().has_value() != by_text);
    if (by_text) CHECK(contains(proof.verdict().reason, std::string(c.reason)));
  }
}

TEST_CASE("the plan is asked for with a NULL for every parameter") {
  CHECK(lane_proof("select 1", "p", 0).next()->sql ==
        "explain (verbose, format json, costs off) execute p");
  CHECK(lane_proof("select $1, $2", "p_2", 2).next()->sql ==
        "explain (verbose, format json, costs off) execute p_2(null, null)");
}

TEST_CASE("a statement is proven when no new name appears") {
  auto proof = asking_names();

  const auto asked = proof.next();
  REQUIRE(asked.has_value());
  REQUIRE(asked->parameters.size() == 4);
  CHECK(asked->parameters[0] == R"({"f"})");
  CHECK(asked->parameters[1] == R"({"f","select"})");
  CHECK(asked->parameters[2] == "{}");
  CHECK(contains(asked->parameters[3], R"("=")"));
  proof.answer({});

  CHECK_FALSE(proof.next().has_value());
  CHECK(proof.verdict().proven);
}

TEST_CASE("a body is read for names, and each name is asked about once") {
  auto proof = asking_names();

  proof.answer({row{"function app.f", null, "plpgsql",
                    "begin return \"G\\x\"($1) from v where f($1) > 0; end"}});

  const auto asked = proof.next();
  REQUIRE(asked.has_value());
  CHECK(asked->parameters[0] == R"({"G\\x"})");
  CHECK(contains(asked->parameters[1], R"("v")"));
  CHECK_FALSE(contains(asked->parameters[1], R"("f")"));
  CHECK(contains(asked->parameters[2], R"("v")"));
}

TEST_CASE("what the catalogue refuses is refused, with its reason") {
  auto proof = asking_names();

  proof.answer({row{"function app.f", "is volatile", "sql", "select 1"}});

  CHECK_FALSE(proof.next().has_value());
  CHECK_FALSE(proof.verdict().proven);
  CHECK(proof.verdict().reason == "function app.f is volatile");
}

TEST_CASE("a body that cannot be looked into, locks or runs dynamic SQL is refused") {
  struct {
    const char* language;
    const char* body;
    const char* reason;
  } table[] = {
      {"plpgsql", "begin EXECUTE 'select 1'; end", "function app.f runs dynamic SQL"},
      {"plpgsql", "begin perform 1 from t for update; end", "function app.f locks rows"},
      {"sql", "select U&\"d\\0061t\"()", "function app.f cannot be read reliably"},
      {"sql", "select 'open", "function app.f cannot be read reliably"},
      {"sql", "select txid_current()", "calls txid_current, which hides what it runs or does"},
  };
  for (const auto& c : table) {
    INFO(c.body);
    auto proof = asking_names();

    proof.answer({row{"function app.f", null, c.language, c.body}});

    CHECK_FALSE(proof.next().has_value());
    CHECK(proof.verdict().reason == c.reason);
  }
}

TEST_CASE("words in strings and comments of a body are nothing") {
  auto proof = asking_names();

  proof.answer({row{"function app.f", null, "plpgsql",
                    "/* execute */ 'for update; txid_current()' -- execute"}});

  CHECK(proof.verdict().proven);
}

TEST_CASE("where rows are built, any table may be the type") {
  lane_proof proof("select jsonb_populate_record(c, $1) from customer c", "p", 1);
  proof.answer(plain_plan);

  proof.answer(no_parameters);

  CHECK(contains(proof.next()->parameters[2], R"("customer")"));
}

TEST_CASE("the types of the parameters are looked up") {
  lane_proof proof("select $1", "p", 1);
  proof.answer(plain_plan);

  proof.answer({row{"parameters", null, "types", "app.mail ; \"Odd \"\"Type\"[]"}});

  const auto types = proof.next()->parameters[2];
  CHECK(contains(types, R"("mail")"));
  CHECK(contains(types, R"("Odd \"Type")"));
}

TEST_CASE("an endless chain of names ends in a refusal") {
  auto proof = asking_names();

  int rounds = 0;
  for (; proof.next() && rounds < 100; ++rounds) {
    proof.answer({row{"function app.f", null, "sql", "select g" + std::to_string(rounds) + "()"}});
  }

  CHECK(rounds < 100);
  CHECK(proof.verdict().reason == "refers to more than a proof looks into");
}

TEST_CASE("an answer of another shape, or an error, is a refusal") {
  lane_proof no_plan("select 1", "p", 0);
  no_plan.answer({});
  CHECK_FALSE(no_plan.verdict().proven);
  CHECK_FALSE(no_plan.next().has_value());

  auto narrow = asking_names();
  narrow.answer({row{"function app.f"}});
  CHECK(narrow.verdict().reason == "the catalogue answered in another shape");

  auto refused = asking_names();
  refused.failed("42501");
  CHECK(contains(refused.verdict().reason, "42501"));
  CHECK_FALSE(refused.next().has_value());
}

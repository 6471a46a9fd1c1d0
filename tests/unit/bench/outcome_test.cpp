#include "outcome.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

using namespace bench;

namespace {

/// Gives these figures, one a run.
measure figures(std::vector<double> all) {
  return [all, next = std::size_t{0}]() mutable { return all.at(next++); };
}

measure always(double figure) {
  return [figure] { return figure; };
}

std::set<std::string> keys_of(const std::string& line) {
  std::set<std::string> keys;
  const auto parsed = boost::json::parse(line);
  for (const auto& member : parsed.as_object()) keys.insert(member.key());
  return keys;
}

}  // namespace

TEST_CASE("the median is the one in the middle, or the mean of the two there") {
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({9, 1, 5, 3}) == 4);
}

TEST_CASE("a ratio above one means that ours is better, whichever is more") {
  struct row {
    better direction;
    double ours, peer, ratio;
  };
  const std::vector<row> rows{
      {better::more, 200, 100, 2},
      {better::more, 50, 100, 0.5},
      {better::less, 50, 100, 2},
      {better::less, 200, 100, 0.5},
  };

  for (const auto& [direction, ours, peer, ratio] : rows) {
    CAPTURE(ours);
    const auto out = run({.direction = direction, .ours = always(ours), .peer = always(peer)});
    CHECK(out.ratio == ratio);
    CHECK(out.difference == ours - peer);
  }
}

TEST_CASE("the run for warmth does not count, and medians do") {
  const auto out = run({.ours = figures({1'000, 10, 90, 20, 80, 30}),
                        .peer = figures({1'000, 1, 9, 2, 8, 3}),
                        .runs = 5});

  CHECK(out.value == 30);
  CHECK(out.peer_value == 3);
  CHECK(out.ratio == 10);
  CHECK(out.runs == 5);
  CHECK_FALSE(out.quick);
}

TEST_CASE("both sides take turns, and the peer twice where it is compared to itself") {
  std::string order;
  auto side = [&](char name) {
    return [&order, name] {
      order += name;
      return 1.0;
    };
  };

  run({.ours = side('o'), .peer = side('p'), .runs = 2});
  CHECK(order == "opopop");

  order.clear();
  run({.ours = side('o'), .peer = side('p'), .runs = 2, .twice = true});
  CHECK(order == "opoppopp");
}

TEST_CASE("the peer compared to itself tells what a ratio of nothing looks like") {
  // Warmth, then a first and a second run in each turn.
  const auto out = run({.ours = always(1),
                        .peer = figures({0, 12, 10, 12, 10, 12, 10, 12, 10, 12, 10}),
                        .runs = 5,
                        .twice = true});

  CHECK(out.same_ratio == doctest::Approx(1.2));
  CHECK(run({.ours = always(1), .peer = always(1)}).same_ratio == 0);
}

TEST_CASE("what must never happen is told by the worst run") {
  CHECK(run({.ours = figures({0, 5, 9, 5, 5, 5}), .runs = 5, .worst = true}).value == 5);
  CHECK(run({.direction = better::less,
             .ours = figures({0, 5, 9, 5, 5, 5}),
             .runs = 5,
             .worst = true})
            .value == 9);
}

TEST_CASE("a figure that is always the same is taken once, without warmth") {
  const auto out = run({.ours = figures({42}), .once = true});

  CHECK(out.value == 42);
  CHECK(out.runs == 1);
  CHECK_FALSE(out.quick);
}

TEST_CASE("a bar is reached or missed") {
  struct row {
    case_spec spec;
    bool reached;
  };
  auto spec = [](better direction, double ours) {
    return case_spec{.direction = direction, .ours = always(ours), .peer = always(100)};
  };
  auto with_ratio = [](case_spec s, double least) {
    s.least_ratio = least;
    return s;
  };
  auto with_value = [](case_spec s, double least) {
    s.least_value = least;
    return s;
  };
  auto with_difference = [](case_spec s, double least) {
    s.least_difference = least;
    return s;
  };
  const std::vector<row> rows{
      {spec(better::more, 1), true},
      {with_ratio(spec(better::more, 80), 0.8), true},
      {with_ratio(spec(better::more, 79), 0.8), false},
      {with_ratio(spec(better::less, 126), 0.8), false},
      {with_value(spec(better::more, 60), 60), true},
      {with_value(spec(better::more, 59), 60), false},
      {with_value(spec(better::less, 60), 60), true},
      {with_value(spec(better::less, 61), 60), false},
      {with_difference(spec(better::more, 99), -1), true},
      {with_difference(spec(better::more, 98), -1), false},
  };

  for (const auto& [one, reached] : rows) {
    const auto out = run(one);
    CAPTURE(out.value);
    CHECK(out.reached == reached);
  }
}

TEST_CASE("a line of results has the keys that figures are followed by") {
  case_spec spec{.name = "a.b", .unit = "ops/s", .ours = always(3)};
  CHECK(
      json_line(spec, run(spec)) ==
      R"({"case":"a.b","value":3E0,"unit":"ops/s","peer":null,"peer_value":null,"ratio":null,"runs":7})");

  spec.peer_name = "raw";
  spec.peer = always(2);
  const std::set<std::string> usual{"case", "value", "unit", "peer", "peer_value", "ratio", "runs"};
  CHECK(keys_of(json_line(spec, run(spec))) == usual);

  spec.twice = true;
  auto with_same = usual;
  with_same.insert("same_ratio");
  CHECK(keys_of(json_line(spec, run(spec))) == with_same);

  spec.runs = 4;
  auto with_quick = with_same;
  with_quick.insert("quick");
  CHECK(keys_of(json_line(spec, run(spec))) == with_quick);

  spec.least_difference = 0;
  const auto line = boost::json::parse(json_line(spec, run(spec))).as_object();
  CHECK(line.at("ratio").is_null());
  CHECK(line.at("difference").to_number<double>() == 1);
}

TEST_CASE("a row of the table shows the ratio, the peer to itself, the bar, and a quick look") {
  case_spec spec{.name = "a.b",
                 .unit = "ops/s",
                 .ours = always(3'000'000),
                 .peer_name = "raw",
                 .peer = always(2'000'000),
                 .least_ratio = 2,
                 .twice = true};

  const auto full = table_row(spec, run(spec));
  CHECK(full.starts_with("a.b "));
  CHECK(full.find(" 3.00 M ops/s ") != std::string::npos);
  CHECK(full.find(" 2.00 M      1.5        1  ratio 2") != std::string::npos);
  CHECK(full.ends_with(" MISS  raw"));

  spec.runs = 1;
  CHECK(table_row(spec, run(spec)).ends_with(" MISS  QUICK LOOK raw"));
}

#include "redis/master_watch.hpp"

#include "redis/site.hpp"
#include "support/event_log.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis::detail;

namespace {

const place m1{.host = "m1"}, m2{.host = "m2"};

struct fixture {
  support::event_log log;
  const std::shared_ptr<site> of = std::make_shared<site>(
      target_from_url("redis+sentinel://a,b?service=shop", {.log = log.sink()}), execution{});
  master_watch& watch = *of->master;
  int searches = 0;
  std::vector<std::string> retired;
  std::vector<master_answer> answers;

  fixture() {
    watch.serve({.search = [this] { ++searches; },
                 .retire =
                     [this](std::uint64_t term, const std::string& why, bool at_once) {
                       retired.push_back(std::to_string(term) + (at_once ? " at once: " : ": ") +
                                         why);
                     }});
  }
  ~fixture() { watch.serve({}); }

  void find() {
    watch.find([this](const master_answer& said) { answers.push_back(said); });
  }
  master_answer connect_to(const place& where) {
    find();
    watch.answer(found_master{where});
    const auto said = answers.back();
    const auto term = watch.confirm(said);
    REQUIRE(term);
    return said;
  }
};

}  // namespace

TEST_CASE("all who ask are told what the search has found, and who says so") {
  fixture f;
  f.find();
  f.find();
  CHECK(f.watch.is_awaited());

  f.watch.answer(found_master{m1, 1, "NOQUORUM"});

  REQUIRE(f.answers.size() == 2);
  CHECK(f.answers[0].where == m1);
  CHECK(f.answers[0].says ==
        "the master of \"shop\" is m1:6379, says the sentinel b:26379, which has no quorum "
        "(NOQUORUM)");
  CHECK_FALSE(f.watch.is_awaited());
}

TEST_CASE("a failover retires the old connections at once and is told in the log") {
  fixture f;
  f.connect_to(m1);
  CHECK(f.retired.empty());

  f.connect_to(m2);

  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired[0] == std::to_string(f.watch.term()) + " at once: the master is m2:6379 now");
  CHECK(f.log.last("redis.failover") == "the master of \"shop\" is m2:6379 now; it was m1:6379");
  CHECK(f.watch.current() == "m2:6379");
  CHECK(f.watch.failovers() == 1);
}

TEST_CASE("news retires at once; a server that says it is a replica may finish its answers") {
  fixture f;
  const auto said = f.connect_to(m1);

  CHECK(f.watch.announce(m2, f.of->sentinels[0]));
  CHECK_FALSE(f.watch.announce(m2, f.of->sentinels[1]));
  CHECK_FALSE(f.watch.confirm(said));
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired[0] ==
        "1 at once: the sentinel a:26379 says that the master of \"shop\" is m2:6379 now");

  f.watch.suspect(0);
  CHECK(f.retired.size() == 1);
  f.watch.suspect(1);
  REQUIRE(f.retired.size() == 2);
  CHECK(f.retired[1] == "2: the server is a replica now");
}

TEST_CASE("who waits when the client is closed is told, and who comes later too") {
  fixture f;
  f.find();

  f.watch.serve({});
  f.find();

  REQUIRE(f.answers.size() == 2);
  for (const auto& each : f.answers) {
    CHECK_FALSE(each.where);
    CHECK(each.failure.why == "the client was closed");
  }
}

TEST_CASE("a search that cannot be begun is an answer") {
  fixture f;
  f.watch.serve({.search = [] { throw std::runtime_error("no thread"); }});

  f.find();

  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0].failure.why == "the sentinels cannot be asked: no thread");
}

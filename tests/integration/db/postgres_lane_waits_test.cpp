// How long reads that share a connection wait for it, and how many may: each by its own count.

#include "db/call_frame.hpp"
#include "db/content_size.hpp"
#include "db/postgres/lane.hpp"
#include "db/postgres/settings.hpp"
#include "postgres_faults_fixture.hpp"
#include "support/tcp_proxy.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

using namespace faults;
using scalekit::db::postgres::host_pool;
using scalekit::db::postgres::io_home;
using scalekit::db::postgres::lane;
using scalekit::db::postgres::lane_member;
using scalekit::db::postgres::lent_connection;
using scalekit::db::postgres::statement_book;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds patience{60};

class asked final : public lane_member {
 public:
  asked(statement_book& book, db::statement query, steady_clock::time_point since)
      : query_(std::move(query)), frame_{since, scalekit::deadline::after(patience)} {
    entry = book.find(query_.text());
    values = &query_.parameters();
    bytes = db::detail::content_size(*values);
  }

  void settle(std::exception_ptr e) noexcept override {
    over_ = true;
    failure_ = std::move(e);
  }
  const std::source_location& site() const noexcept override { return query_.site(); }
  const db::detail::call_frame& frame() const noexcept override { return frame_; }

  bool is_over() const { return over_; }
  bool is_answered() const { return over_ && !failure_ && end == ending::done; }
  /// Nothing where it has not failed.
  std::optional<error> failure() const {
    return failure_ ? std::optional(scalekit::to_error(failure_)) : std::nullopt;
  }

 private:
  const db::statement query_;
  const db::detail::call_frame frame_;
  bool over_ = false;
  std::exception_ptr failure_;
};

using reads = std::vector<std::shared_ptr<asked>>;

/// A lane whose loop runs when the test says so.
class rig {
 public:
  explicit rig(const std::string& url, db::client_params params = {}) {
    params.pool.min = 0;
    params.pool.max = 1;
    params.pool.shed_target = 0s;
    const auto s = db::postgres::settings_from_url(url, params);
    pool_ = std::make_shared<host_pool>(
        s.servers.front(), s.params,
        std::make_shared<io_home>(scalekit::execution(io_.get_executor()), "lane-test"));
    lane_ =
        std::make_shared<lane>(pool_, io_.get_executor(), patience, false, lane::callers::in_loop);
  }
  ~rig() {
    lane_->close();
    turn();
    pool_->close();
  }
  rig(const rig&) = delete;
  rig& operator=(const rig&) = delete;

  host_pool& pool() { return *pool_; }

  std::shared_ptr<asked> ask(db::statement query,
                             steady_clock::time_point since = steady_clock::now()) {
    auto member = std::make_shared<asked>(book_, std::move(query), since);
    lane_->submit(member);
    return member;
  }
  reads ask(int count, const db::statement& query) {
    reads all;
    for (int i = 0; i < count; ++i) all.push_back(ask(query));
    return all;
  }

  /// All that can run now.
  void turn() {
    io_.restart();
    io_.poll();
  }
  template <class Predicate>
  bool turn_until(Predicate is_true) {
    return wait_until([&] {
      turn();
      return is_true();
    });
  }

  /// The only connection.
  lent_connection take() {
    const db::detail::call_frame call{steady_clock::now(), scalekit::deadline::after(patience)};
    bool waited = false;
    return pool_->take({.site = std::source_location::current()}, call,
                       steady_clock::now() + patience, waited);
  }

 private:
  boost::asio::io_context io_{1};
  statement_book book_{100, nullptr};
  std::shared_ptr<host_pool> pool_;
  std::shared_ptr<lane> lane_;
};

/// A rig behind a proxy, with a statement that is prepared, and answers that do not come.
struct cut_off {
  database own;
  support::tcp_proxy proxy{shared_server().port()};
  rig r;

  explicit cut_off(const db::statement& query, db::client_params params = {})
      : r("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/" + own.name(),
          params) {
    const auto first = r.ask(query);
    REQUIRE(r.turn_until([&] { return first->is_answered(); }));
    proxy.set_to_client({.delay = std::chrono::hours(1)});
  }

  bool all_answered_after_cut(const reads& of) {
    proxy.cut_all_and_heal();
    return r.turn_until([&] { return std::ranges::all_of(of, &asked::is_answered); });
  }
};

std::ptrdiff_t under_way(const reads& of) {
  return std::ranges::count_if(of, [](const auto& each) { return each->flying; });
}

std::ptrdiff_t turned_away(const reads& of) {
  return std::ranges::count_if(of, [](const auto& each) {
    return each->failure() && each->failure()->code() == errc::shed;
  });
}

}  // namespace

TEST_CASE("the end of one read's patience is not that of a read that came later") {
  const database d;
  rig r(d.url());
  auto held = r.take();

  const auto first = r.ask(sql("select 1"), steady_clock::now() - patience + 100ms);
  REQUIRE(r.turn_until([&] { return r.pool().statistics().waiting == 1; }));
  const auto second = r.ask(sql("select 2"));
  REQUIRE(r.turn_until([&] { return first->is_over(); }));
  // Its own wait ends with the lane's, which is for both.
  REQUIRE(r.turn_until([&] { return r.pool().statistics().acquire_timeouts == 1; }));
  r.turn();
  CHECK_FALSE(second->is_over());
  held.give_back(db::detail::returned::healthy);
  CHECK(r.turn_until([&] { return second->is_over(); }));

  CHECK(second->is_answered());
  REQUIRE(first->failure());
  CHECK(first->failure()->code() == errc::acquire_timeout);
}

TEST_CASE("a read that gets no connection to share is told as much as one that wants its own") {
  const database d;
  rig r(d.url());
  const auto held = r.take();

  const auto late = r.ask(sql("select 1"), steady_clock::now() - patience);
  REQUIRE(r.turn_until([&] { return late->is_over(); }));

  const auto e = late->failure();
  REQUIRE(e);
  CHECK(e->code() == errc::acquire_timeout);
  CAPTURE(e->what());
  CHECK(contains(e->what(), "postgres_lane_waits_test.cpp"));
  CHECK(contains(e->what(), "1 busy, 0 idle"));
  CHECK(contains(e->what(), "of at most 1"));
  CHECK(contains(e->what(), "the oldest holder is "));
}

TEST_CASE("no more reads wait for a connection to share than may wait for one") {
  const database d;
  rig r(d.url(), {.max_waiting = 5});
  auto held = r.take();

  const auto all = r.ask(8, sql("select 1"));
  r.turn();

  CHECK(turned_away(all) == 3);
  CHECK_FALSE(all[4]->is_over());
  REQUIRE(all[5]->failure());
  CHECK(contains(all[5]->failure()->what(), "already 5 callers wait for a connection to "));
  CHECK(contains(all[5]->failure()->what(), "the oldest holder is "));
  CHECK(r.pool().statistics().shed == 3);
  held.give_back(db::detail::returned::healthy);
  CHECK(r.turn_until([&] { return std::ranges::all_of(all, &asked::is_over); }));
  CHECK(std::ranges::count_if(all, &asked::is_answered) == 5);
}

TEST_CASE("a server that does not answer has no more reads of a lane than it may have") {
  cut_off c(sql("select 1"), {.max_waiting = 500});

  auto all = c.r.ask(3000, sql("select 1"));
  c.r.turn();

  const auto most = static_cast<std::ptrdiff_t>(lane::max_under_way);
  CHECK(under_way(all) == most);
  CHECK(turned_away(all) == 3000 - 2 * most - 500);
  REQUIRE(all.back()->failure());
  CHECK(contains(all.back()->failure()->what(), "already 1024 reads share a connection to "));
  CHECK(contains(all.back()->failure()->what(), "500, max_waiting"));
  CHECK(c.r.pool().statistics().shed == static_cast<std::uint64_t>(turned_away(all)));
  std::erase_if(all, [](const auto& each) { return each->failure().has_value(); });
  CHECK(c.all_answered_after_cut(all));
}

TEST_CASE("nor more than two groups of them") {
  cut_off c(sql("select 1"));
  reads all;

  for (int group = 0; group < 3; ++group) {
    for (auto& each : c.r.ask(10, sql("select 1"))) all.push_back(std::move(each));
    c.r.turn();
  }

  CHECK(under_way(all) == 20);
  CHECK(c.all_answered_after_cut(all));
}

TEST_CASE("nor more bytes of their parameters") {
  const auto query = sql("select length($1::text)", std::string(60'000, 'x'));
  cut_off c(query);

  const auto all = c.r.ask(100, query);
  c.r.turn();

  CHECK(under_way(all) == (lane::max_bytes_under_way + 59'999) / 60'000);
  CHECK(c.all_answered_after_cut(all));
}

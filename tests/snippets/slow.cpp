#include <cstdio>
#include <string>

//[smallest
#include <scalekit/db.hpp>
#include <scalekit/slow.hpp>

namespace db = scalekit::db;
namespace slow = scalekit::slow;
using namespace std::chrono_literals;

std::shared_ptr<slow::tracker> make_tracker() {
  return std::make_shared<slow::tracker>(slow::tracker_params{
      .slow_threshold = 100ms,
      .log = scalekit::log_sink([](const scalekit::log_record& r) {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(r.message.size()), r.message.data());
      }),
  });
}

db::client open_shop(std::shared_ptr<slow::tracker> tracker) {
  return db::client::open("sqlite::memory:", {.tracker = std::move(tracker)});
}
//]

//[top
void print_top(const slow::tracker& tracker) {
  auto ms = [](std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1e6; };
  for (const auto& s : tracker.top(5, slow::top_by::total)) {
    std::printf("%8.1f ms in %llu calls, p95 %.3f ms: %s\n", ms(s.total),
                static_cast<unsigned long long>(s.calls), ms(s.p95), s.text.c_str());
  }
}
//]

//[scope
void show_cart(db::client& shop, const std::vector<std::int64_t>& products) {
  auto scope = scalekit::request_scope::begin("GET /cart");
  for (auto id : products) {  // one query a product: this is the N+1 pattern
    shop.read<std::tuple<std::string>>(db::sql("select name from product where id = $1", id),
                                       {.scope = scope});
  }
}

bool has_n_plus_one(const slow::tracker& tracker) {
  for (const auto& f : tracker.n_plus_one_findings()) {
    std::printf("%s:%u: %llu calls in one %s\n", f.where.file.c_str(), f.where.line,
                static_cast<unsigned long long>(f.most_calls), f.scope.c_str());
    if (f.pattern == slow::n_plus_one_pattern::loop) return true;
  }
  return false;
}
//]

//[driver
template <class Run>
void tracked(slow::tracker& tracker, std::string_view sql, const scalekit::request_scope& scope,
             Run run, std::source_location site = std::source_location::current()) {
  auto statement = tracker.statement(sql, slow::dialect::postgres);  // keep it with a prepared one
  auto started = std::chrono::steady_clock::now();
  std::uint64_t rows = run(sql);
  auto finished = std::chrono::steady_clock::now();
  tracker.record(statement, {.execute = finished - started, .finished = finished}, rows,
                 slow::outcome::ok, site, scope);
}
//]

//[normalize
std::string shape_of(std::string_view sql) {
  return slow::normalize(sql, slow::dialect::postgres).text;
}
//]

int main() {
  auto tracker = make_tracker();
  auto shop = open_shop(tracker);
  shop.write(db::sql("create table product (id integer primary key, name text)"));
  show_cart(shop, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  tracked(*tracker, "select 1", {}, [](std::string_view) { return 1U; });
  print_top(*tracker);
  if (tracker->totals().calls != 14) return 1;
  if (!has_n_plus_one(*tracker)) return 2;
  return shape_of("SELECT * FROM t WHERE id IN (1, 2) /* x */") == "select * from t where id in (?)"
             ? 0
             : 3;
}

#include "checks.hpp"

#include "database.hpp"

#include <boost/describe/class.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <cstdio>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace demo {
namespace {

namespace fs = std::filesystem;
using scalekit::db::sql;
using std::to_string;

// What the storefront grants one client, requests a second and as many again at once; and how much
// of it clocks and rounding may add.
constexpr double client_limit = 200;
constexpr double tolerance = 1.1;
// Of their goodput in (c), customers must keep this share in (d).
constexpr double least_share_kept = 0.95;

struct booked_order {
  std::int64_t id = 0;
  std::string payment_job;
  std::string inventory_job;
  std::string email_job;
};
BOOST_DESCRIBE_STRUCT(booked_order, (), (id, payment_job, inventory_job, email_job))

/// The names of the files in `dir` without `extension`; others count as strangers.
struct files {
  std::set<std::string> names;
  std::size_t strangers = 0;
};

files list(const fs::path& dir, const char* extension) {
  files found;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() == extension) {
      found.names.insert(entry.path().stem().string());
    } else {
      ++found.strangers;
    }
  }
  return found;
}

/// A shop's books: its database, and the directories that its jobs write to.
class books {
 public:
  books(std::string name, const shop_location& shop)
      : name_(std::move(name)), dir_(shop.dir), db_(open_books(shop)) {
    for (auto& order : db_.read<booked_order>(
             sql("select id, payment_job, inventory_job, email_job from orders"), newest())) {
      auto id = order.id;
      orders_.emplace(id, std::move(order));
    }
  }

  /// Also of a cluster: what the primary says, not what a replica has heard of.
  static scalekit::db::call_options newest() {
    return {.consistency = scalekit::db::consistency::primary()};
  }

  check acknowledged_orders(const ledger& book) const {
    std::size_t lost = 0;
    std::set<std::int64_t> ids;
    for (const auto& order : book.orders()) {
      ids.insert(order.id);
      auto found = orders_.find(order.id);
      bool same = found != orders_.end() && found->second.payment_job == order.payment_job &&
                  found->second.inventory_job == order.inventory_job &&
                  found->second.email_job == order.email_job;
      lost += !same;
    }
    auto twice = book.orders().size() - ids.size();
    return made(!book.orders().empty() && lost == 0 && twice == 0 && book.unreadable() == 0,
                "no acknowledged order was lost, and no number given twice",
                to_string(book.orders().size()) + " acknowledged, " + to_string(orders_.size()) +
                    " booked, " + to_string(lost) + " lost, " + to_string(twice) + " twice, " +
                    to_string(book.unreadable()) + " unreadable");
  }

  /// Every order has the effects of exactly its own jobs.
  check effects(const ledger& book, bool every_order) {
    auto paid = jobs_of("payment");
    auto moved = jobs_of("inventory_movement");
    auto mailed = jobs_of("outbox");
    std::size_t missing = 0;
    std::size_t looked_at = 0;
    auto look = [&](const auto& order) {
      ++looked_at;
      missing += paid.contains(order.payment_job) ? 0U : 1U;
      missing += moved.contains(order.inventory_job) ? 0U : 1U;
      missing += mailed.contains(order.email_job) ? 0U : 1U;
    };
    if (every_order) {
      for (const auto& [id, order] : orders_) look(order);
    } else {
      for (const auto& order : book.orders()) look(order);
    }
    return made(missing == 0, "no job of an order was lost: payment, inventory, email",
                to_string(looked_at) + " orders, " + to_string(missing) + " effects missing");
  }

  check nothing_twice() {
    auto payments = numbers("select count(*), count(distinct order_id) from payment");
    auto mails = numbers("select count(*), count(distinct order_id) from outbox");
    auto sent = list(dir_ / "outbox", ".eml");
    auto movements = number(
        "select count(*) from (select order_id from inventory_movement group by order_id "
        "having count(distinct job_id) > 1) twice");
    bool same_mails = sent.names == jobs_of("outbox") && sent.strangers == 0;
    return made(payments.first == payments.second && mails.first == mails.second &&
                    movements == 0 && same_mails,
                "no payment, mail or movement happened twice, by job id",
                to_string(payments.first) + " payments of " + to_string(payments.second) +
                    " orders, " + to_string(mails.first) + " mails booked, " +
                    to_string(sent.names.size() + sent.strangers) + " in the outbox");
  }

  check housekeeping(const ledger& book) {
    auto reports = list(dir_ / "reports", ".csv");
    auto backups =
        list(dir_ / "backups", db_.dialect() == scalekit::db::dialect::sqlite ? ".db" : ".csv");
    bool same = reports.names == jobs_of("report") && backups.names == jobs_of("backup") &&
                reports.strangers + backups.strangers == 0;
    std::size_t lost = 0;
    for (const auto& job : book.jobs()) {
      if (job.kind == "report") lost += !reports.names.contains(job.id);
      if (job.kind == "backup") lost += !backups.names.contains(job.id);
    }
    return made(same && lost == 0, "every report and backup that was asked for exists, once",
                to_string(reports.names.size()) + " reports, " + to_string(backups.names.size()) +
                    " backups, " + to_string(lost) + " lost");
  }

  check stock() {
    auto wrong = number(
        "select count(*) from product p left join "
        "(select product_id, sum(quantity) as sold from order_line group by product_id) s "
        "on s.product_id = p.id "
        "where p.stock < 0 or p.initial_stock - p.stock <> coalesce(s.sold, 0)");
    auto sold = number("select cast(coalesce(sum(quantity), 0) as bigint) from order_line");
    return made(wrong == 0, "the stock adds up, and is nowhere negative",
                to_string(sold) + " pieces sold, " + to_string(wrong) + " products wrong");
  }

  check warehouse() {
    auto wrong = number(
        "select count(*) from (select product_id, sum(quantity) as difference from "
        "(select product_id, quantity from inventory_movement "
        "union all select product_id, quantity from order_line) moved_and_sold "
        "group by product_id) sums where difference <> 0");
    return made(wrong == 0, "the warehouse moved what was sold",
                to_string(wrong) + " products wrong");
  }

  check made(bool holds, const std::string& promise, std::string evidence) const {
    return {holds, name_ + ": " + promise, std::move(evidence)};
  }

 private:
  std::int64_t number(const char* query) {
    return db_.read_one<std::int64_t>(scalekit::db::unsafe_sql(query), newest());
  }
  std::pair<std::int64_t, std::int64_t> numbers(const char* query) {
    auto [a, b] = db_.read_one<std::tuple<std::int64_t, std::int64_t>>(
        scalekit::db::unsafe_sql(query), newest());
    return {a, b};
  }
  std::set<std::string> jobs_of(const std::string& table) {
    auto ids = db_.read<std::string>(
        scalekit::db::unsafe_sql("select distinct job_id from " + table), newest());
    return {ids.begin(), ids.end()};
  }

  std::string name_;
  fs::path dir_;
  scalekit::db::client db_;
  std::unordered_map<std::int64_t, booked_order> orders_;
};

std::string with_digits(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string ms(std::chrono::nanoseconds d) {
  return with_digits(std::chrono::duration<double, std::milli>(d).count(), 1) + " ms";
}

}  // namespace

int exit_code(const std::vector<check>& checks) {
  int code = 0;
  for (const auto& one : checks) {
    if (one.holds) continue;
    if (one.is == check::kind::promise) return 1;
    code = 3;
  }
  return code;
}

std::vector<check> check_books(const std::string& name, const shop_location& where,
                               const ledger& acknowledged, const server_stats& at_end,
                               bool every_order) {
  books shop(name, where);
  std::vector<check> checks{shop.acknowledged_orders(acknowledged),
                            shop.effects(acknowledged, every_order), shop.nothing_twice(),
                            shop.housekeeping(acknowledged), shop.stock()};
  if (every_order) {
    checks.push_back(shop.warehouse());
    checks.push_back(
        shop.made(at_end.jobs_open == 0 && at_end.jobs_dead == 0, "every job is done, none is dead",
                  to_string(at_end.jobs_open) + " open, " + to_string(at_end.jobs_dead) + " dead"));
  }
  return checks;
}

std::vector<check> check_runs(const phase_result& b, const phase_result& c, const phase_result& d) {
  constexpr auto comparison = check::kind::comparison;
  std::vector<check> checks;
  for (const auto* run : {&b, &c, &d}) {
    auto limited = run->customers().counts.limited;
    checks.push_back({limited == 0, run->title + ": customers stay within their limits",
                      to_string(limited) + " times 429", comparison});
  }
  const auto& without = b.customers();
  const auto& with = c.customers();
  checks.push_back(
      {with.goodput > without.goodput, "(c) beats (b) on goodput",
       with_digits(with.goodput, 0) + "/s against " + with_digits(without.goodput, 0) + "/s",
       comparison});
  checks.push_back({with.latency.p99 < without.latency.p99, "(c) beats (b) on p99",
                    ms(with.latency.p99) + " against " + ms(without.latency.p99), comparison});
  auto kept = d.customers().goodput / with.goodput;
  checks.push_back({kept >= least_share_kept, "(d): the others keep their goodput",
                    with_digits(100 * kept, 1) + " % of (c)", comparison});
  const auto& abuse = d.abuser().counts;
  auto seconds = std::chrono::duration<double>(d.load.duration).count();
  auto granted = client_limit * (seconds + 1) * tolerance;
  checks.push_back({abuse.limited > 0 && static_cast<double>(abuse.ok) <= granted,
                    "(d): the abuser gets its limit and then 429s",
                    to_string(abuse.due) + " requests, " + to_string(abuse.ok) + " served, " +
                        to_string(abuse.limited) + " times 429",
                    comparison});
  return checks;
}

check check_pages(const std::string& name, const shop_location& where,
                  const std::vector<std::string>& pages) {
  auto db = open_books(where);
  std::size_t wrong = 0;
  for (const auto& body : pages) {
    const auto shown = boost::json::parse(body).as_object();
    const auto id = shown.at("id").to_number<std::int64_t>();
    const auto [stock, price] = db.read_one<std::tuple<std::int64_t, std::int64_t>>(
        sql("select stock, price_cents from product where id = $1", id), books::newest());
    wrong += stock != shown.at("stock").to_number<std::int64_t>() ||
             price != shown.at("price_cents").to_number<std::int64_t>();
  }
  return {wrong == 0 && !pages.empty(), name + ": no page shows what is not so any more",
          to_string(pages.size()) + " pages of favourites, " + to_string(wrong) + " wrong"};
}

check check_loss(const phase_result& run, const std::string& lost) {
  // Who waits too long in an overloaded shop is no witness.
  const auto& told = run.customers().counts;
  const auto errors = told.server_errors + told.connection_errors;
  return {errors == 0, run.title + ": " + lost + " died, and no request failed because of it",
          to_string(told.ok) + " served, " + to_string(errors) + " answered with an error, " +
              to_string(told.timeouts) + " waited too long"};
}

check check_time(std::chrono::nanoseconds took) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(took);
  return {took < std::chrono::minutes(3), "the demo took less than three minutes",
          to_string(seconds.count()) + " s", check::kind::comparison};
}

}  // namespace demo

#include "pages/statistics.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <filesystem>

namespace storefront {
namespace {

namespace json = boost::json;
namespace slow = scalekit::slow;

std::int64_t micros(std::chrono::nanoseconds d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

json::object describe(const scalekit::db::pool_statistics& pool) {
  return {{"limit", pool.limit},     {"busy", pool.busy},
          {"waiting", pool.waiting}, {"acquired", pool.acquired},
          {"waited", pool.waited},   {"acquire_timeouts", pool.acquire_timeouts},
          {"shed", pool.shed}};
}

std::string_view name_of(scalekit::db::host_role role) {
  switch (role) {
    case scalekit::db::host_role::primary:
      return "primary";
    case scalekit::db::host_role::replica:
      return "replica";
    case scalekit::db::host_role::unknown:
      break;
  }
  return "unknown";
}

json::array describe_hosts(const scalekit::db::client_statistics& stats) {
  json::array hosts;
  for (const auto& host : stats.hosts) {
    json::object one{{"name", host.name},
                     {"role", name_of(host.role)},
                     {"state", host.state},
                     {"reads", host.reads}};
    if (host.lag) one["lag_us"] = micros(*host.lag);
    hosts.push_back(std::move(one));
  }
  return hosts;
}

json::object describe_database(const shop& shop) {
  auto stats = shop.db.statistics();
  return {{"readers", describe(stats.readers)},
          {"writer", describe(stats.writer)},
          {"statements", stats.statements},
          {"failed_statements", stats.failed_statements},
          {"transactions_committed", stats.transactions_committed},
          {"transactions_rolled_back", stats.transactions_rolled_back},
          {"shared_reads", stats.shared_reads},
          {"hosts", describe_hosts(stats)}};
}

json::object describe_queue(shop& shop) {
  if (!shop.jobs) return {{"enabled", false}};
  auto depth = shop.jobs->stats();
  json::object kinds;
  for (const auto& kind : shop.worker->stats().kinds) {
    kinds[kind.kind] = {{"done", kind.done},
                        {"retried", kind.retried},
                        {"dead", kind.dead},
                        {"interrupted", kind.interrupted},
                        {"lost", kind.lost}};
  }
  return {{"enabled", true},          {"ready", depth.ready}, {"scheduled", depth.scheduled},
          {"running", depth.running}, {"dead", depth.dead},   {"kinds", std::move(kinds)}};
}

/// "pages/orders.cpp:12", not where the sources lay when the program was built.
std::string place(const slow::call_site& where) {
  return std::filesystem::path(where.file).filename().string() + ":" + std::to_string(where.line);
}

json::array describe_slowest(const slow::tracker& tracker) {
  json::array statements;
  for (const auto& s : tracker.top(5, slow::top_by::total)) {
    statements.push_back(
        {{"sql", s.text},
         {"calls", s.calls},
         {"errors", s.errors},
         {"total_ms", micros(s.total) / 1000},
         {"wait_ms", micros(s.wait) / 1000},
         {"p50_us", micros(s.p50)},
         {"p95_us", micros(s.p95)},
         {"p99_us", micros(s.p99)},
         {"called_from", s.call_sites.empty() ? "" : place(s.call_sites.front().where)}});
  }
  return statements;
}

json::array describe_n_plus_one(const slow::tracker& tracker) {
  json::array findings;
  for (const auto& f : tracker.n_plus_one_findings()) {
    findings.push_back({{"sql", f.text},
                        {"request", f.scope},
                        {"called_from", place(f.where)},
                        {"requests", f.requests},
                        {"most_calls", f.most_calls}});
  }
  return findings;
}

}  // namespace

json::object collect_statistics(shop& shop) {
  return {{"mode", shop.settings.mode == serving_mode::full ? "full" : "direct"},
          {"requests", shop.answered.to_json()},
          {"database", describe_database(shop)},
          {"cache", shop.pages.to_json()},
          {"limiter", shop.limiter.to_json()},
          {"queue", describe_queue(shop)},
          {"slow_statements", describe_slowest(*shop.tracker)},
          {"n_plus_one", describe_n_plus_one(*shop.tracker)}};
}

}  // namespace storefront

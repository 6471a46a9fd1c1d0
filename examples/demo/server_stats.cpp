#include "server_stats.hpp"

#include "http_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <stdexcept>

namespace demo {
namespace {

namespace json = boost::json;

std::uint64_t count(const json::object& in, const char* name) {
  return in.at(name).to_number<std::uint64_t>();
}

std::string text(const json::object& in, const char* name) {
  return json::value_to<std::string>(in.at(name));
}

void read_queue(const json::object& queue, server_stats& into) {
  if (!queue.at("enabled").as_bool()) return;
  into.jobs_open = count(queue, "ready") + count(queue, "scheduled") + count(queue, "running");
  into.jobs_dead = count(queue, "dead");
  for (const auto& kind : queue.at("kinds").as_object()) {
    into.jobs_done[std::string(kind.key())] = count(kind.value().as_object(), "done");
  }
}

void read_hosts(const json::object& database, server_stats& into) {
  for (const auto& element : database.at("hosts").as_array()) {
    const auto& h = element.as_object();
    into.hosts.push_back({.name = text(h, "name"),
                          .role = text(h, "role"),
                          .reads = count(h, "reads"),
                          .state = text(h, "state")});
    if (const auto* lag = h.if_contains("lag_us")) {
      into.hosts.back().lag_ms = lag->to_number<double>() / 1000;
    }
  }
}

}  // namespace

server_stats parse_stats(std::string_view page) {
  auto value = json::parse({page.data(), page.size()});
  const auto& all = value.as_object();
  server_stats stats;
  const auto& cache = all.at("cache").as_object();
  if (cache.at("enabled").as_bool()) {
    stats.cache_lookups = cache.at("lookups").to_number<double>();
    stats.cache_hits = stats.cache_lookups * cache.at("hit_ratio").to_number<double>();
  }
  read_queue(all.at("queue").as_object(), stats);
  if (const auto* database = all.if_contains("database")) read_hosts(database->as_object(), stats);
  for (const auto& element : all.at("slow_statements").as_array()) {
    const auto& s = element.as_object();
    stats.slowest.push_back({text(s, "sql"), count(s, "calls"),
                             s.at("total_ms").to_number<double>(),
                             s.at("p95_us").to_number<double>() / 1000});
  }
  for (const auto& element : all.at("n_plus_one").as_array()) {
    const auto& f = element.as_object();
    stats.n_plus_one.push_back(text(f, "request") + ": " + std::to_string(count(f, "most_calls")) +
                               " times " + text(f, "sql") + " (" + text(f, "called_from") + ")");
  }
  return stats;
}

server_stats since(const server_stats& earlier, server_stats later) {
  later.cache_lookups -= earlier.cache_lookups;
  later.cache_hits -= earlier.cache_hits;
  for (const auto& [kind, done] : earlier.jobs_done) later.jobs_done[kind] -= done;
  return later;
}

server_stats fetch_stats(std::uint16_t port) {
  auto reply = fetch(port, "GET", "/stats");
  if (reply.status != 200) {
    throw std::runtime_error("/stats answered " + std::to_string(reply.status));
  }
  return parse_stats(reply.body);
}

}  // namespace demo

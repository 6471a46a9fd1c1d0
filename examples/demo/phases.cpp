#include "phases.hpp"

#include "http_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace demo {
namespace {

namespace fs = std::filesystem;
namespace ops = scalekit::ops;
using namespace std::chrono_literals;

constexpr auto start_timeout = 120s;
constexpr auto stop_timeout = 20s;
constexpr auto least_drain = 10s;
constexpr auto most_drain = 60s;
constexpr auto demo_in_all = 180s;
// For the end of a server and the check of the books.
constexpr auto reserve = 10s;
constexpr auto warm_up = 3s;
constexpr int measured_runs = 3;
constexpr auto capacity_run = 4s;
// Fewer than one client may ask for at once.
constexpr std::size_t shown_pages = 100;
// Some servers do more with few requests at a time, some with many: the better one counts.
constexpr std::array<std::size_t, 2> concurrencies{128, 512};
// A customer who has waited this long is gone.
constexpr auto patience = 2s;
// Two for each client.
constexpr std::size_t connections = 2 * (shoppers::customers + 1);

std::vector<std::string> arguments(const options& chosen, const std::string& mode,
                                   const shop_location& shop, const std::string& cache = {}) {
  std::vector<std::string> all{"--port", "0",  "--dir",       shop.dir.string(),
                               "--mode", mode, "--catalogue", chosen.catalogue};
  if (shop.has_server()) all.insert(all.end(), {"--database", shop.database});
  if (!cache.empty()) all.insert(all.end(), {"--cache", cache});
  return all;
}

void show(const ops::load_progress& now) {
  auto seconds = [](std::chrono::nanoseconds d) {
    return std::chrono::duration_cast<std::chrono::seconds>(d).count();
  };
  std::cout << "\r   " << seconds(now.elapsed) << "/" << seconds(now.duration)
            << " s: " << now.counts.due << " due, " << now.counts.ok << " ok, "
            << now.counts.limited << " limited, " << now.counts.failed() << " failed, "
            << now.waiting << " waiting      " << std::flush;
}

}  // namespace

stage::stage(const options& chosen, const std::string& mode, const shop_location& where,
             const catalogue& shop, const std::string& cache)
    : options_(chosen),
      shoppers_(shop, book_, chosen.seed),
      server_(chosen.storefront, arguments(chosen, mode, where, cache), where.dir / "server.log") {
  server_.wait_until_listening(start_timeout);
}

ops::load_params stage::params(std::vector<ops::load_stage> stages) {
  return {.host = "127.0.0.1",
          .port = server_.port(),
          .stages = std::move(stages),
          .seed = options_.seed,
          .connections = connections,
          .clients = shoppers::customers + 1,
          .first_local_address = "127.0.1.1",
          .timeout = patience,
          .kinds = {"customers", "abuser"},
          .source = [this](ops::load_request& request) { shoppers_.next(request); },
          .on_response = [this](const ops::load_response& r) { shoppers_.hear(r); },
          .capture_bytes = 1024,
          .on_progress = show};
}

phase_result stage::measure(const std::string& title, ops::load_params load) {
  server_.require_running();
  auto before = fetch_stats(server_.port());
  auto report = ops::load_generator(std::move(load)).run();
  std::cout << "\n";
  server_.require_running();
  return {title, std::move(report), since(before, fetch_stats(server_.port()))};
}

phase_result stage::find_capacity() {
  std::optional<phase_result> best;
  for (auto concurrent : concurrencies) {
    auto load = params({{.duration = capacity_run}});
    load.closed_loop = true;
    load.connections = concurrent;
    load.clients = std::min(load.clients, concurrent);
    if (!best) {
      auto warming = load;
      warming.stages = {{.duration = warm_up}};
      ops::load_generator(std::move(warming)).run();
    }
    auto found = measure("(a) capacity", std::move(load));
    if (!best || found.customers().goodput > best->customers().goodput) best = std::move(found);
  }
  return std::move(*best);
}

phase_result stage::run(const std::string& title, double rate, double abuse) {
  auto all = rate + abuse;
  shoppers_.set_abuse(abuse / all);
  ops::load_generator(params({{.duration = warm_up, .rate = all, .ramp_from = 0}})).run();
  auto result = measure(title, params({{.duration = options_.phase, .rate = all}}));
  shoppers_.set_abuse(0);
  return result;
}

std::chrono::nanoseconds stage::half_of_a_run() const {
  return warm_up + std::chrono::nanoseconds(options_.phase) / 2;
}

void stage::start_job(const std::string& kind) {
  auto reply = fetch(server_.port(), "POST", "/admin/jobs", R"({"kind":")" + kind + R"("})", 30s);
  if (reply.status != 202) {
    throw std::runtime_error("job " + kind + " was answered with " + std::to_string(reply.status));
  }
  book_.add_job(kind, reply.body);
}

server_stats stage::close(std::chrono::nanoseconds at_most) {
  for (const auto* kind : {"report", "backup", "cache_cleanup"}) start_job(kind);
  auto give_up = std::chrono::steady_clock::now() + at_most;
  auto stats = fetch_stats(server_.port());
  while (stats.jobs_open > 0 && std::chrono::steady_clock::now() < give_up) {
    std::cout << "\r   waiting for " << stats.jobs_open << " jobs      " << std::flush;
    std::this_thread::sleep_for(200ms);
    stats = fetch_stats(server_.port());
  }
  std::cout << "\r   " << stats.jobs_open << " jobs left           \n";
  for (const auto id : shoppers_.favourites(shown_pages)) {
    const auto page = "/products/" + std::to_string(id);
    auto reply = fetch(server_.port(), "GET", page, {}, 30s);
    if (reply.status != 200) {
      throw std::runtime_error(page + " was answered with " + std::to_string(reply.status));
    }
    last_pages_.push_back(std::move(reply.body));
  }
  server_.stop(stop_timeout);
  return stats;
}

std::chrono::nanoseconds drain_time(std::chrono::nanoseconds elapsed, std::chrono::seconds phase,
                                    int runs_left) {
  const auto in_all = demo_in_all + measured_runs * std::max(phase - options{}.phase, 0s);
  const std::chrono::nanoseconds left = in_all - elapsed - runs_left * (warm_up + phase) - reserve;
  return std::clamp<std::chrono::nanoseconds>(left, least_drain, most_drain);
}

phase_result undisturbed(const std::function<phase_result()>& run) {
  auto result = run();
  if (!result.load.generator_saturated) return result;
  std::cout << "   the generator itself was late, so something else keeps this machine busy: "
               "once more\n";
  return run();
}

void prepare_catalogue(const options& chosen, const shop_location& shop) {
  fs::create_directories(shop.dir);
  server_process server(chosen.storefront, arguments(chosen, "direct", shop),
                        shop.dir / "server.log");
  server.wait_until_listening(start_timeout);
  server.stop(stop_timeout);
}

}  // namespace demo

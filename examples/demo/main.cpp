// Four runs against the storefront: what it can do without scalekit's cache and queue, 1.5 times
// that without and with them, and the same with an abuser among the customers. Then the books are
// checked. Exits with 0 only if every promise was kept; with 3 if all that failed is a comparison
// between runs, which a machine that is busy with something else can spoil.

#include "cache_server.hpp"
#include "checks.hpp"
#include "ground.hpp"
#include "phases.hpp"
#include "summary.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace demo;

// Ten times what the storefront lets one client do.
constexpr double abuse_per_second = 2000;

void append(std::vector<check>& to, std::vector<check> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Does something after a while, on a thread of its own, while another thing is done here.
template <class Here>
auto with_event(std::chrono::nanoseconds after, const std::function<void()>& event, Here here) {
  std::exception_ptr failure;
  std::jthread other([&](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any clock;
    std::unique_lock lock(mutex);
    clock.wait_for(lock, stop, after, [] { return false; });
    if (stop.stop_requested()) return;
    try {
      event();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  auto result = here();
  other.request_stop();
  other.join();
  if (failure) std::rethrow_exception(failure);
  return result;
}

int run(const options& chosen) {
  const auto begun = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::steady_clock::now() - begun; };
  if (chosen.postgres) std::cout << "== a primary and two replicas\n";
  const auto stand = chosen.postgres ? make_postgres_ground(chosen.dir / "postgres")
                                     : make_sqlite_ground(chosen.dir);
  const auto cache = make_cache_server(chosen.cache);
  std::cout << "== catalogue\n";
  prepare_catalogue(chosen, stand->catalogue());
  auto shop = read_catalogue(stand->catalogue());
  std::cout << "   " << shop.products.size() << " products in " << shop.categories.size()
            << " categories\n";
  const auto direct_shop = stand->copy_of_catalogue("direct");
  const auto full_shop = stand->copy_of_catalogue("full");
  std::vector<phase_result> runs;
  std::vector<check> checks;

  std::cout << "== (a) capacity with cache and queue off\n";
  stage direct(chosen, "direct", direct_shop, shop);
  runs.push_back(direct.find_capacity());
  auto rate = chosen.factor * runs.back().load.total.goodput;
  std::cout << "== (b) " << chosen.factor << " times that, cache and queue off\n";
  runs.push_back(undisturbed([&] { return direct.run("(b) off", rate, 0); }));
  auto direct_end = direct.close(drain_time(elapsed(), chosen.phase, 2));

  std::cout << "== (c) the same, cache and queue on\n";
  stage full(chosen, "full", full_shop, shop, cache ? cache->url() : std::string());
  runs.push_back(undisturbed([&] { return full.run("(c) on", rate, 0); }));
  std::string lost = stand->has_replicas() ? "a replica" : "";
  if (cache) lost += lost.empty() ? "the cache's server" : " and the cache's server";
  std::cout << "== (d) the same, with an abuser among the clients"
            << (lost.empty() ? "" : ", and " + lost + " killed half way") << "\n";
  auto abused = [&] { return full.run("(d) on + abuser", rate, abuse_per_second); };
  if (lost.empty()) {
    runs.push_back(undisturbed(abused));
  } else {
    // Once: a second run would have no replica to lose.
    const auto lose = [&] {
      if (stand->has_replicas()) stand->lose_a_replica();
      if (cache) cache->lose();
    };
    runs.push_back(with_event(full.half_of_a_run(), lose, abused));
  }
  auto full_end = full.close(drain_time(elapsed(), chosen.phase, 0));

  std::cout << "== checking the books\n";
  append(checks, check_books("off", direct_shop, direct.acknowledged(), direct_end, false));
  append(checks, check_books("on", full_shop, full.acknowledged(), full_end, true));
  append(checks, check_runs(runs[1], runs[2], runs[3]));
  checks.push_back(check_pages("on", full_shop, full.last_pages()));
  if (!lost.empty()) checks.push_back(check_loss(runs[3], lost));
  if (chosen.phase <= options{}.phase) checks.push_back(check_time(elapsed()));

  std::cout << "\n"
            << summary_table(runs) << jobs_line(full_end) << "\n"
            << hosts_section("cache and queue off", direct_end)
            << hosts_section("cache and queue on", full_end)
            << slow_section("cache and queue off", direct_end) << "\n"
            << slow_section("cache and queue on", full_end) << "\n"
            << check_list(checks) << "the demo took "
            << std::chrono::duration_cast<std::chrono::seconds>(elapsed()).count() << " s\n";
  const int code = exit_code(checks);
  std::cout << (code == 0   ? "all promises were kept\n"
                : code == 3 ? "NOTHING WAS LOST, BUT A RUN WAS NOT WHAT IT SHOULD BE\n"
                            : "A PROMISE WAS BROKEN\n");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (auto chosen = parse_command_line(argc, argv)) return run(*chosen);
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << "storefront_demo: " << wrong.what() << "\n";
    return 2;
  } catch (const std::exception& failure) {
    std::cerr << "storefront_demo: " << failure.what() << "\n";
    return 1;
  }
}

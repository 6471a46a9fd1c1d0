#pragma once

#include "database.hpp"
#include "ledger.hpp"
#include "phases.hpp"
#include "server_stats.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace demo {

/// One promise, and whether it was kept.
struct check {
  enum class kind {
    /// Holds on every machine at every time, or something is wrong with the shop.
    promise,
    /// Between runs: a machine that is busy with something else can spoil it.
    comparison,
  };

  bool holds = false;
  std::string promise;
  /// The figures, for whoever doubts it.
  std::string evidence;
  kind is = kind::promise;
};

/// Of the demo: 0 when all hold, 3 when none but comparisons failed, else 1.
int exit_code(const std::vector<check>& checks);

/// Reads the books of a stopped shop: what was acknowledged is there, what happened once happened
/// once, and the stock adds up. `every_order`: also orders that nobody was told of must have had
/// their effects, because their jobs were enqueued with them.
std::vector<check> check_books(const std::string& name, const shop_location& where,
                               const ledger& acknowledged, const server_stats& at_end,
                               bool every_order);

/// The runs: customers within their limits, (c) better than (b), and (d) as good as (c).
std::vector<check> check_runs(const phase_result& b, const phase_result& c, const phase_result& d);

/// Pages of products, as the shop showed them before it was stopped: they say what the books say.
check check_pages(const std::string& name, const shop_location& where,
                  const std::vector<std::string>& pages);

/// A run in which `lost` died, "a replica": nobody was told of it.
check check_loss(const phase_result& run, const std::string& lost);

/// The demo with runs of no more than its usual length.
check check_time(std::chrono::nanoseconds took);

}  // namespace demo

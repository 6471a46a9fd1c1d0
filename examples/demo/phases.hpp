#pragma once

#include "catalogue.hpp"
#include "database.hpp"
#include "ledger.hpp"
#include "options.hpp"
#include "server_process.hpp"
#include "server_stats.hpp"
#include "shoppers.hpp"

#include <scalekit/ops/load_generator.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace demo {

/// One measured run.
struct phase_result {
  std::string title;
  scalekit::ops::load_report load;
  server_stats server;

  const scalekit::ops::load_row& customers() const { return load.kinds.at(shoppers::customer); }
  const scalekit::ops::load_row& abuser() const { return load.kinds.at(shoppers::abuser); }
};

/// A server in one mode on a shop of its own, and those who come to it.
class stage {
 public:
  /// Starts the server on the shop at `where`, and waits until it serves. `mode` and `cache` are
  /// the storefront's options.
  stage(const options& chosen, const std::string& mode, const shop_location& where,
        const catalogue& shop, const std::string& cache = {});

  /// How much the server can do: every connection asks as soon as it has its answer. The better
  /// of several numbers of connections.
  phase_result find_capacity();

  /// Requests of customers at `rate`, and `abuse` more from a single client, both a second. What
  /// happens while the rate rises to its full height is not measured.
  phase_result run(const std::string& title, double rate, double abuse);

  /// From the begin of run() to the middle of what it measures.
  std::chrono::nanoseconds half_of_a_run() const;

  /// The rest of the six kinds of jobs, waits until every job is done, or for `at_most`, and stops
  /// the server. Returns the last statistics.
  server_stats close(std::chrono::nanoseconds at_most);

  const ledger& acknowledged() const noexcept { return book_; }

  /// The pages of the favourite products, as they were shown at the end: see close().
  const std::vector<std::string>& last_pages() const noexcept { return last_pages_; }

 private:
  scalekit::ops::load_params params(std::vector<scalekit::ops::load_stage> stages);
  phase_result measure(const std::string& title, scalekit::ops::load_params params);
  void start_job(const std::string& kind);

  const options& options_;
  ledger book_;
  shoppers shoppers_;
  server_process server_;
  std::vector<std::string> last_pages_;
};

/// How long the jobs of a shop may take to be done when the demo has run for `elapsed` and has
/// `runs_left` runs of the length `phase` before it: what remains of its three minutes, which are
/// more only for runs that are longer than usual. 10 s at least, 60 s at most.
std::chrono::nanoseconds drain_time(std::chrono::nanoseconds elapsed, std::chrono::seconds phase,
                                    int runs_left);

/// The result of `run`; when the generator itself was late in it, so that something else keeps this
/// machine busy, that of a second go, whatever that is.
phase_result undisturbed(const std::function<phase_result()>& run);

/// Imports the catalogue into a shop of its own, unless that was done before.
void prepare_catalogue(const options& chosen, const shop_location& shop);

}  // namespace demo

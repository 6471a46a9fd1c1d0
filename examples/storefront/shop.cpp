#include "shop.hpp"

#include "catalogue/import.hpp"
#include "jobs/jobs.hpp"
#include "schema.hpp"
#include "secret_file.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace storefront {
namespace {

namespace db = scalekit::db;
namespace queue = scalekit::queue;
namespace slow = scalekit::slow;

/// The library prints nothing: what becomes of its events is the application's decision.
scalekit::log_sink log_to_stderr() {
  return scalekit::log_sink(
      [](const scalekit::log_record& record) {
        std::string line(record.event);
        line.append(": ").append(record.message);
        for (const auto& [name, value] : record.fields) {
          line.append(" ").append(name).append("=").append(value);
        }
        line += '\n';
        // One call a line: several threads log.
        std::fputs(line.c_str(), stderr);
      },
      scalekit::log_level::warning);
}

db::client open_database(const options& settings, const data_dir& dirs,
                         const std::shared_ptr<slow::tracker>& tracker,
                         const scalekit::log_sink& log, const scalekit::execution& work) {
  db::client_params params;
  params.sqlite.readers = 4;
  // A customer who waits longer has gone: better to say "busy" while somebody listens.
  params.acquire_timeout = std::chrono::seconds(1);
  params.statement_timeout = std::chrono::seconds(2);
  params.sqlite.synchronous =
      settings.sync_full ? db::synchronous_mode::full : db::synchronous_mode::normal;
  params.tracker = tracker;
  params.log = log;
  const auto url = settings.database.empty() ? dirs.database_url() : settings.database;
  auto client = db::client::open(url, params, work);

  const auto schema = schema_for(client.dialect());
  const std::array<std::string_view, 1> steps{schema};
  client.migrate("storefront", steps);
  return client;
}

//[sessions
/// A store of their own: pages must not push them out, and clearing the pages logs nobody out.
scalekit::cache::sessions open_sessions(const data_dir& dirs, const scalekit::execution& work,
                                        const scalekit::log_sink& log) {
  namespace cache = scalekit::cache;
  auto store = cache::store::open({.memory = {.max_bytes = std::size_t{16} << 20},
                                   .file = {.directory = dirs.sessions.string(),
                                            .max_bytes = std::uint64_t{64} << 20,
                                            .fsync = cache::fsync_policy::data},
                                   .execution = work,
                                   .log = log});
  return cache::sessions(std::move(store), {.execution = work});
}
//]

}  // namespace

shop::shop(options chosen, scalekit::runtime& loops)
    : settings(std::move(chosen)),
      work(loops.execution()),
      dirs(settings.dir),
      cursor_secret(settings.secret_file.empty() ? read_or_make_secret(dirs.cursor_secret)
                                                 : read_secret(settings.secret_file)),
      log(log_to_stderr()),
      tracker(std::make_shared<slow::tracker>(slow::tracker_params{.log = log})),
      db(open_database(settings, dirs, tracker, log, work)),
      pages(settings, dirs, work, log),
      sessions(open_sessions(dirs, work, log)),
      limiter(settings) {
  import_catalogue(db, settings.catalogue);
  // The import is not what /stats is about.
  tracker->reset();
  if (settings.mode == serving_mode::direct) return;

  // Nobody pays for an order whose payment was given up, so that takes a while.
  jobs.emplace(db, queue::queue_params{.max_attempts = 20, .log = log});
  jobs->migrate();
  // Few: on SQLite jobs write one after the other anyway, and customers write too.
  // And soon again: what fails here is the database being busy, not a server being away.
  worker.emplace(*jobs, queue::worker_params{.concurrency = 4,
                                             .retry = {.base = std::chrono::seconds(1),
                                                       .cap = std::chrono::minutes(1)}});
  add_order_jobs(*worker, *this);
  add_housekeeping_jobs(*worker, *this);
  worker->start();
}

}  // namespace storefront

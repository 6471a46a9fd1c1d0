#include "scalekit/db/client.hpp"

#include "db/call_site.hpp"
#include "db/judged_read.hpp"
#include "db/sqlite/backend.hpp"
#include "db/sqlite/settings.hpp"
#ifdef SCALEKIT_WITH_POSTGRES
#include "db/postgres/backend.hpp"
#endif
#include "scalekit/core/error.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace scalekit::db {
namespace {

/// Programs that start at the same time agree on it: never change it.
constexpr std::int64_t schema_lock = 7'236'840'951'204'117;

}  // namespace

client client::open(std::string_view url, client_params params, scalekit::execution exec) {
#ifdef SCALEKIT_WITH_POSTGRES
  if (postgres::is_postgres_url(url)) {
    return client(std::make_shared<postgres::backend>(
        postgres::settings_from_url(url, std::move(params)), std::move(exec)));
  }
#endif
  return client(std::make_shared<sqlite::sqlite_backend>(
      sqlite::settings_from_url(url, std::move(params)), std::move(exec)));
}

client::client(std::shared_ptr<detail::backend> backend) noexcept : backend_(std::move(backend)) {}

db::transaction client::begin(const transaction_options& options, std::source_location site) {
  return db::transaction(backend_->begin(options, site));
}

write_result client::run(detail::access kind, const statement& query, const call_options& options,
                         detail::row_sink* rows) {
  return backend_->run(kind, query, options, rows);
}

write_result client::run_judged(const statement& query, const call_options& options,
                                detail::row_sink* rows) {
  const auto kind = backend_->kind_of(query);
  try {
    return backend_->run(kind, query, options, rows);
  } catch (const error& e) {
    if (kind != detail::access::read || !backend_->is_write_after_all(query, e)) throw;
  }
  if (rows != nullptr) rows->restart();
  return backend_->run(detail::access::write, query, options, rows);
}

void client::start_judged(statement&& query, call_options&& options,
                          std::shared_ptr<detail::async_call> call) {
  const auto kind = backend_->kind_of(query);
  if (kind == detail::access::read) {
    call = std::make_shared<detail::judged_read>(backend_, query, options, std::move(call));
  }
  backend_->async_run(kind, std::move(query), std::move(options), std::move(call));
}

void client::start(detail::access kind, statement&& query, call_options&& options,
                   std::shared_ptr<detail::async_call> call) {
  backend_->async_run(kind, std::move(query), std::move(options), std::move(call));
}

write_result client::run(const batch& statements, const call_options& options,
                         std::source_location site) {
  const auto& members = statements.start();
  auto done = backend_->run(members, options, site);
  detail::finish(members, done);
  return done;
}

void client::start(const batch& statements, call_options&& options,
                   const std::source_location& site,
                   std::shared_ptr<detail::pending<write_result>> op) {
  const detail::batch_members* members = nullptr;
  try {
    members = &statements.start();
  } catch (const error&) {
    boost::asio::post(execution().completion_executor(),
                      [op = std::move(op), e = std::current_exception()] { op->complete(e, {}); });
    return;
  }
  auto call = std::make_shared<detail::batch_call>(std::move(op), *members);
  backend_->async_run(*members, std::move(options), site, std::move(call));
}

void client::run_script(std::string_view script, const transaction_options& options,
                        std::source_location site) {
  auto tx = begin(options, site);
  tx.run_script(script);
  tx.commit();
}

std::size_t client::migrate(std::string_view component, std::span<const std::string_view> steps,
                            const transaction_options& options, std::source_location site) {
  auto tx = begin(options, site);
  // Two that create a table at the same time would otherwise both find it missing. Whoever comes
  // second waits for as long as its transaction may.
  tx.lock(schema_lock, {.timeout = std::chrono::hours{24}}, site);
  tx.run_script(
      "create table if not exists scalekit_schema ("
      "component text not null primary key, steps integer not null)");
  auto applied = tx.read_optional<std::size_t>(
                       sql("select steps from scalekit_schema where component = $1", component))
                     .value_or(0);
  if (applied > steps.size()) {
    throw error(errc::not_supported, "the schema of '" + std::string(component) + "' has " +
                                         std::to_string(applied) + " steps, this program knows " +
                                         std::to_string(steps.size()) +
                                         ": it is older than the database");
  }
  for (auto step : steps.subspan(applied)) tx.run_script(step);
  tx.write(
      sql("insert into scalekit_schema (component, steps) values ($1, $2) "
          "on conflict (component) do update set steps = excluded.steps",
          component, steps.size()));
  tx.commit();
  return steps.size() - applied;
}

void client::close(std::chrono::nanoseconds timeout) {
  backend_->close(timeout);
}

client_statistics client::statistics() const {
  return backend_->statistics();
}

dialect client::dialect() const noexcept {
  return backend_->dialect();
}

const scalekit::execution& client::execution() const noexcept {
  return backend_->execution();
}

namespace detail {

void require_one_row(std::size_t rows, const statement& query) {
  if (rows == 0) {
    throw error(errc::not_found, describe(query.site()) + ": one row was asked for, none found");
  }
  require_at_most_one_row(rows, query);
}

void require_at_most_one_row(std::size_t rows, const statement& query) {
  if (rows <= 1) return;
  throw error(errc::too_large, describe(query.site()) + ": one row was asked for, " +
                                   std::to_string(rows) + " found");
}

}  // namespace detail
}  // namespace scalekit::db

#include "db/bulk_text.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/transaction.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

namespace scalekit::db {
namespace {

// What a statement can have at most: PostgreSQL 65535, SQLite 32766.
constexpr std::size_t most_parameters = 32'766;

/// Runs as many statements as the rows need; `text_for(n)` is one that takes n of them.
template <class TextFor>
std::uint64_t run_all(detail::transaction_backend& tx, detail::row_source& rows,
                      std::size_t columns, deadline until, const std::stop_token& stop,
                      const std::source_location& site, TextFor text_for) {
  const auto most =
      std::min(tx.rows_per_insert(), std::max<std::size_t>(most_parameters / columns, 1));
  std::map<std::size_t, std::string> texts;
  std::uint64_t changed = 0;
  for (std::size_t left = rows.size(); left > 0;) {
    const auto count = detail::rows_of_next(left, most);
    auto& text = texts[count];
    if (text.empty()) text = text_for(count);
    auto query = unsafe_sql({text, site});
    for (std::size_t i = 0; i < count; ++i) rows.next(query);
    const call_options limits{.timeout = until.remaining(), .stop = stop};
    changed += static_cast<std::uint64_t>(
        tx.run(detail::access::write, query, limits, nullptr).rows_affected());
    left -= count;
  }
  return changed;
}

deadline limit_of(const std::optional<std::chrono::nanoseconds>& timeout) {
  return deadline::after(timeout.value_or(deadline::max_timeout));
}

}  // namespace

std::uint64_t transaction::insert(const bulk_target& into, detail::row_source& rows,
                                  const insert_options& options, const std::source_location& site) {
  if (!tx_) throw error(errc::not_allowed, "the transaction was moved from");
  const auto until = limit_of(options.timeout);
  // Before anything is sent.
  static_cast<void>(detail::insert_text(into, options, 1));
  if (options.conflict == on_conflict::fail) {
    const call_options limits{.timeout = until.remaining(), .stop = options.stop};
    if (const auto done = tx_->copy_in(into, rows, limits, site)) return *done;
  }
  return run_all(*tx_, rows, into.columns.size(), until, options.stop, site,
                 [&](std::size_t n) { return detail::insert_text(into, options, n); });
}

std::uint64_t transaction::update(const bulk_target& in, detail::row_source& rows,
                                  const update_options& options, const std::source_location& site) {
  if (!tx_) throw error(errc::not_allowed, "the transaction was moved from");
  static_cast<void>(detail::update_text(in, options.key, 1));
  return run_all(*tx_, rows, in.columns.size(), limit_of(options.timeout), options.stop, site,
                 [&](std::size_t n) { return detail::update_text(in, options.key, n); });
}

}  // namespace scalekit::db

#include "db/bulk_text.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/transaction.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace scalekit::db {
namespace {

// What a statement can have at most: PostgreSQL 65535, SQLite 32766.
constexpr std::size_t most_parameters = 32'766;

}  // namespace

std::uint64_t transaction::insert(const bulk_target& into, detail::row_source& rows,
                                  const insert_options& options, const std::source_location& site) {
  if (!tx_) throw error(errc::not_allowed, "the transaction was moved from");
  const auto until = deadline::after(options.timeout.value_or(deadline::max_timeout));
  auto limits = [&]() -> call_options {
    return {.timeout = until.remaining(), .stop = options.stop};
  };
  // Before anything is sent.
  const auto single = detail::insert_text(into, options, 1);
  if (options.conflict == on_conflict::fail) {
    if (const auto done = tx_->copy_in(into, rows, limits(), site)) return *done;
  }
  const auto most = std::min(tx_->rows_per_insert(),
                             std::max<std::size_t>(most_parameters / into.columns.size(), 1));
  std::map<std::size_t, std::string> texts{{1, single}};
  std::uint64_t inserted = 0;
  for (std::size_t left = rows.size(); left > 0;) {
    const auto count = detail::rows_of_next(left, most);
    auto& text = texts[count];
    if (text.empty()) text = detail::insert_text(into, options, count);
    auto query = unsafe_sql({text, site});
    for (std::size_t i = 0; i < count; ++i) rows.next(query);
    inserted += static_cast<std::uint64_t>(
        tx_->run(detail::access::write, query, limits(), nullptr).rows_affected());
    left -= count;
  }
  return inserted;
}

}  // namespace scalekit::db

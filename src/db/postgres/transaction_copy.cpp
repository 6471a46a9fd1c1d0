#include "db/bulk_text.hpp"
#include "db/postgres/copy_in.hpp"
#include "db/postgres/own_call.hpp"
#include "db/postgres/own_exchange.hpp"
#include "db/postgres/stop_bell.hpp"
#include "db/postgres/transaction.hpp"

#include <utility>

// Rows by COPY.

namespace scalekit::db::postgres {

using detail::returned;

namespace {

/// Below, a statement or two are done before a COPY has begun.
constexpr std::size_t worth_a_copy = 100;

}  // namespace

std::optional<std::uint64_t> transaction::copy_in(const bulk_target& into, detail::row_source& rows,
                                                  const call_options& options,
                                                  const std::source_location& site) {
  require_open("a bulk write");
  if (read_only_) {
    throw error(errc::not_allowed, detail::describe(site) + ": a write in a read-only transaction");
  }
  if (rows.size() < worth_a_copy) return std::nullopt;
  detail::throw_if_stopped(options.stop, site);
  const auto columns = detail::column_list(into.columns);
  const auto table = detail::quoted_table(into.table);
  auto call = detail::frame_of(options, backend_->params().transaction_timeout);
  call.until = earlier(call.until, until_);
  call.stops = {&options.stop, &stop_, &also_stop_};
  std::uint64_t copied = 0;
  try {
    own_call asked({"select " + columns + " from " + table + " where false"}, site);
    converse(asked);
    const auto* told = asked.answers().front()->result.get();
    std::vector<std::uint32_t> types;
    for (int i = 0; i < PQnfields(told); ++i) types.push_back(PQftype(told, i));
    if (!fits_binary_copy(rows.kinds(), types)) return std::nullopt;
    wrote_ = true;
    const stop_bell bell(lent_->bell, call.stops);
    const auto why =
        postgres::copy_in(*lent_, "copy " + table + " (" + columns + ") from stdin (format binary)",
                          types, rows, site, call.until.when(), copied);
    if (why != wait_end::ready) {
      throw backend_->interruption(why, call, site, lent_->wire->origin());
    }
    learn_xid();
  } catch (const std::exception&) {
    note_failure(lent_->wire->is_quiet() ? returned::healthy : returned::needs_reset,
                 std::current_exception());
    throw;
  } catch (...) {
    note_failure(returned::needs_reset, std::current_exception());
    throw;
  }
  return copied;
}

}  // namespace scalekit::db::postgres

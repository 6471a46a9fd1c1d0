#include "db/bulk_text.hpp"
#include "db/postgres/copy_in.hpp"
#include "db/postgres/copy_stream.hpp"
#include "db/postgres/own_call.hpp"
#include "db/postgres/own_exchange.hpp"
#include "db/postgres/stop_bell.hpp"
#include "db/postgres/transaction.hpp"

#include <chrono>
#include <utility>

// Rows by COPY.

namespace scalekit::db::postgres {

using detail::returned;
using detail::statement_kind;
using std::chrono::steady_clock;

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
  std::optional<statement> query;
  statement_entry_ptr entry;
  std::uint64_t copied = 0;
  auto tell = [&](const std::exception_ptr& failure) {
    if (!entry) return;
    backend_->report(*query, *entry, with_wait(call), {copied, 0}, steady_clock::now(), failure);
  };
  try {
    own_call asked({"select " + columns + " from " + table + " where false"}, site);
    converse(asked);
    const auto* told = asked.answers().front()->result.get();
    std::vector<std::uint32_t> types;
    for (int i = 0; i < PQnfields(told); ++i) types.push_back(PQftype(told, i));
    if (!fits_binary_copy(rows.kinds(), types)) return std::nullopt;
    query = unsafe_sql({"copy " + table + " (" + columns + ") from stdin (format binary)", site});
    entry = backend_->copy_entry_for(*query, statement_kind::copy_in);
    wrote_ = true;
    const stop_bell bell(lent_->bell, call.stops);
    const auto why =
        postgres::copy_in(*lent_, entry->text, types, rows, backend_->params().max_value_bytes,
                          site, call.until.when(), copied);
    if (why != wait_end::ready) {
      throw backend_->interruption(why, call, site, lent_->wire->origin());
    }
    learn_xid();
  } catch (const std::exception&) {
    tell(std::current_exception());
    note_failure(lent_->wire->is_quiet() ? returned::healthy : returned::needs_reset,
                 std::current_exception());
    throw;
  } catch (...) {
    tell(std::current_exception());
    note_failure(returned::needs_reset, std::current_exception());
    throw;
  }
  tell(nullptr);
  return copied;
}

template <class Copy>
std::uint64_t transaction::run_copy(statement_kind kind, const statement& query,
                                    const call_options& options, Copy copy) {
  const auto place = detail::describe(query.site()) + ": ";
  require_open("a copy");
  for (const auto* stop : {&options.stop, &stop_, &also_stop_}) {
    detail::throw_if_stopped(*stop, query.site());
  }
  if (read_only_ && kind == statement_kind::copy_in) {
    throw error(errc::not_allowed, place + "a write in a read-only transaction");
  }
  const auto entry = backend_->copy_entry_for(query, kind);
  auto call = detail::frame_of(options, backend_->params().transaction_timeout);
  call.until = earlier(call.until, until_);
  call.stops = {&options.stop, &stop_, &also_stop_};
  std::uint64_t rows = 0;
  std::optional<time_point> answered;
  wrote_ |= kind == statement_kind::copy_in || entry->says.copies_a_write;
  lent_->spent |= entry->says.marks_session;
  try {
    const stop_bell bell(lent_->bell, call.stops);
    const link::outside_pipeline plain(*lent_->wire);
    copy_stream stream(*lent_, plain.connection(), query.site(), call.until.when());
    const auto expected = kind == statement_kind::copy_in ? PGRES_COPY_IN : PGRES_COPY_OUT;
    if (stream.begin(std::string(query.text()), expected)) copy(stream, answered);
    if (stream.interrupted() != wait_end::ready) {
      throw backend_->interruption(stream.interrupted(), call, query.site(), lent_->wire->origin());
    }
    stream.throw_if_failed();
    rows = stream.copied();
  } catch (...) {
    const auto failure = std::current_exception();
    backend_->report(query, *entry, with_wait(call), {}, answered.value_or(steady_clock::now()),
                     failure);
    note_failure(state_of(*lent_->wire), failure);
    throw;
  }
  backend_->report(query, *entry, with_wait(call), {rows, 0},
                   answered.value_or(steady_clock::now()), nullptr);
  if (kind == statement_kind::copy_in) learn_xid();
  return rows;
}

std::uint64_t transaction::copy_out(const statement& query, const piece_taker& take,
                                    const call_options& options) {
  return run_copy(statement_kind::copy_out, query, options,
                  [&](copy_stream& stream, auto& answered) {
                    try {
                      auto piece = stream.get();
                      answered = steady_clock::now();
                      for (; !piece.empty(); piece = stream.get()) take(piece);
                    } catch (...) {
                      // The server would send the rest.
                      stream.abandon();
                      throw;
                    }
                  });
}

std::uint64_t transaction::copy_in(const statement& query, const piece_giver& give,
                                   const call_options& options) {
  return run_copy(statement_kind::copy_in, query, options, [&](copy_stream& stream, auto&) {
    std::exception_ptr failure;
    try {
      for (auto piece = give(); !piece.empty(); piece = give()) {
        if (!stream.put(piece)) return;
      }
    } catch (...) {
      if (lent_->wire->is_broken()) throw;
      failure = std::current_exception();
    }
    if (!stream.end(failure ? "what was to be copied could not be had" : nullptr)) return;
    if (failure) std::rethrow_exception(failure);
  });
}

}  // namespace scalekit::db::postgres

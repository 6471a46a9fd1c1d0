#include "db/postgres/copy_in.hpp"

#include "db/call_site.hpp"
#include "db/postgres/next_result.hpp"
#include "db/postgres/reply.hpp"
#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_encode.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {
namespace {

constexpr std::string_view signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
/// What is handed to libpq at once.
constexpr std::size_t portion = std::size_t{64} << 10;

void append_row(std::string& to, const value_list& row, const std::vector<std::uint32_t>& types) {
  append_big_endian(to, static_cast<std::int16_t>(types.size()));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto value = row[i];
    if (value.is_null()) {
      append_big_endian(to, std::int32_t{-1});
      continue;
    }
    const auto at = to.size();
    append_big_endian(to, std::int32_t{0});
    append_binary(to, value, types[i], {i + 1, 0});
    store_big_endian(to.data() + at, static_cast<std::int32_t>(to.size() - at - 4));
  }
}

/// One COPY on a connection that is outside its pipeline.
class copying {
 public:
  copying(connection& c, PGconn* conn, const std::source_location& site, time_point until)
      : c_(c), conn_(conn), site_(site), until_(until) {}

  /// Sends the statement; true once the server wants rows.
  bool begin(const std::string& text) {
    if (PQsendQuery(conn_, text.c_str()) != 1) lose();
    auto answer = take_result();
    if (!answer) return false;
    if (PQresultStatus(answer.get()) == PGRES_COPY_IN) return true;
    fail(std::move(answer));
    finish();
    return false;
  }

  /// False when it was interrupted.
  bool put(std::string_view data) {
    for (;;) {
      const int taken = PQputCopyData(conn_, data.data(), static_cast<int>(data.size()));
      if (taken > 0) return true;
      if (taken < 0) lose();
      if (!wait()) return false;
    }
  }

  /// `why` is null at the end of the rows.
  bool end(const char* why) {
    for (;;) {
      const int taken = PQputCopyEnd(conn_, why);
      if (taken > 0) return finish();
      if (taken < 0) lose();
      if (!wait()) return false;
    }
  }

  void throw_if_failed() const {
    if (failed_.result) throw error_of(failed_, site_, c_.wire->origin(), false);
  }

  std::uint64_t copied() const noexcept { return copied_; }
  wait_end interrupted() const noexcept { return why_; }

 private:
  /// Until the socket takes more. False when it was interrupted.
  bool wait() {
    why_ = wait_for(PQsocket(conn_), true, c_.bell.get(), until_);
    if (why_ != wait_end::ready) return stop();
    if (PQconsumeInput(conn_) != 1) lose();
    return true;
  }

  /// Null at the end, and when it was interrupted.
  result_ptr take_result() {
    auto [why, lost, result] = next_result(conn_, c_.bell.get(), until_);
    if (lost) lose();
    why_ = why;
    if (why_ != wait_end::ready) stop();
    return std::move(result);
  }

  bool stop() {
    std::vector<exchange_ptr> none;
    c_.wire->break_off("the copy was stopped", none);
    return false;
  }

  bool finish() {
    while (auto r = take_result()) {
      if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) {
        const std::string_view rows = PQcmdTuples(r.get());
        std::from_chars(rows.data(), rows.data() + rows.size(), copied_);
      } else if (!failed_.result) {
        fail(std::move(r));
      }
    }
    return why_ == wait_end::ready;
  }

  void fail(result_ptr answer) {
    failed_.end = exchange::ending::failed;
    failed_.result = std::move(answer);
  }

  [[noreturn]] void lose() {
    std::vector<exchange_ptr> none;
    exchange e;
    e.end = exchange::ending::lost;
    e.lost_because = PQerrorMessage(conn_);
    c_.wire->break_off(e.lost_because, none);
    throw error_of(e, site_, c_.wire->origin(), false);
  }

  connection& c_;
  PGconn* conn_;
  const std::source_location& site_;
  time_point until_;
  wait_end why_ = wait_end::ready;
  exchange failed_;
  std::uint64_t copied_ = 0;
};

}  // namespace

bool fits_binary_copy(std::span<const value_kind> kinds, const std::vector<std::uint32_t>& types) {
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    value_view sample;
    switch (kinds[i]) {
      case value_kind::null:
        continue;
      case value_kind::integer:
        sample = value_view(std::int64_t{0});
        break;
      case value_kind::real:
        sample = value_view(0.0);
        break;
      case value_kind::text:
        sample = value_view(std::string_view());
        break;
      case value_kind::blob:
        sample = value_view(std::span<const std::byte>());
        break;
      case value_kind::array:
        return false;  // The form depends on the elements.
    }
    if (form_for(sample, types[i], {i + 1, 0}) != wire_form::binary) return false;
  }
  return true;
}

wait_end copy_in(connection& c, const std::string& text, const std::vector<std::uint32_t>& types,
                 detail::row_source& rows, const std::source_location& site, time_point until,
                 std::uint64_t& copied) {
  const link::outside_pipeline plain(*c.wire);
  copying copy(c, plain.connection(), site, until);
  if (!copy.begin(text)) {
    copy.throw_if_failed();
    return copy.interrupted();
  }
  std::string buffer(signature);
  value_list row;
  std::size_t number = 0;
  std::exception_ptr failure;
  try {
    for (const auto count = rows.size(); number < count; ++number) {
      row.clear();
      rows.next(row);
      append_row(buffer, row, types);
      if (buffer.size() < portion) continue;
      if (!copy.put(buffer)) return copy.interrupted();
      buffer.clear();
    }
    append_big_endian(buffer, std::int16_t{-1});
    if (!copy.put(buffer)) return copy.interrupted();
  } catch (const error& e) {
    if (c.wire->is_broken()) throw;
    auto diag = e.diag();
    diag.client_message.insert(
        0, detail::describe(site) + ": row " + std::to_string(number + 1) + ": ");
    failure = std::make_exception_ptr(error(e.code(), std::move(diag)));
  } catch (...) {
    failure = std::current_exception();
  }
  if (!copy.end(failure ? "a row could not be sent" : nullptr)) return copy.interrupted();
  if (failure) std::rethrow_exception(failure);
  copy.throw_if_failed();
  copied = copy.copied();
  return wait_end::ready;
}

}  // namespace scalekit::db::postgres

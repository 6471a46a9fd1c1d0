#include "db/postgres/copy_in.hpp"

#include "db/call_site.hpp"
#include "db/content_size.hpp"
#include "db/postgres/copy_stream.hpp"
#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_encode.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {
namespace {

constexpr std::string_view signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
/// What is handed to libpq at once.
constexpr std::size_t portion = std::size_t{64} << 10;

void append_row(std::string& to, const value_list& row, const std::vector<std::uint32_t>& types,
                std::size_t max_value_bytes) {
  append_big_endian(to, static_cast<std::int16_t>(types.size()));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto value = row[i];
    if (detail::content_size(value) > max_value_bytes) {
      throw error(errc::too_large, to_string(parameter_place{i + 1}) +
                                       " is larger than max_value_bytes, " +
                                       std::to_string(max_value_bytes));
    }
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
                 detail::row_source& rows, std::size_t max_value_bytes,
                 const std::source_location& site, time_point until, std::uint64_t& copied) {
  const link::outside_pipeline plain(*c.wire);
  copy_stream copy(c, plain.connection(), site, until);
  if (!copy.begin(text, PGRES_COPY_IN)) {
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
      append_row(buffer, row, types, max_value_bytes);
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

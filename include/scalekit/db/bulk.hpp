#pragma once

#include "scalekit/core/codec.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/db/statement.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <source_location>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit::db {

/// Where rows go: a table and its columns. The names are used as they stand, quoted, so that they
/// may be anything, and are spelled as in the catalogue ("product", not "Product", where it was
/// created without quotes). A dot separates the schema from the table.
struct bulk_target {
  bulk_target(const char* name) : table(name) {}  // NOLINT: implicit by intent
  bulk_target(std::string name, std::vector<std::string> its_columns = {})  // NOLINT
      : table(std::move(name)), columns(std::move(its_columns)) {}

  std::string table;
  /// In the order of the members of a row. Default: the names of the members, which a std::tuple or
  /// std::pair has not.
  std::vector<std::string> columns;
};

/// What becomes of a row whose key is there already.
enum class on_conflict {
  /// The insert fails, with errc::constraint_violation.
  fail,
  /// The row is left out.
  skip,
  /// The row that is there gets the values of this one. PostgreSQL refuses rows with the same key
  /// in
  /// one statement (errc::invalid_statement).
  update,
};

struct insert_options {
  on_conflict conflict = on_conflict::fail;

  /// The columns of the unique key that is meant; needed for `update`. Default, for `skip`: any
  /// key.
  std::vector<std::string> key = {};

  /// For all of it. Default: what the transaction has.
  std::optional<std::chrono::nanoseconds> timeout = {};

  std::stop_token stop = {};
};

struct update_options {
  /// The columns that say which row is meant; the others are changed. Needed. A row whose key is
  /// null or not there changes nothing; keys that come twice are not to be: which one wins is not
  /// known.
  std::vector<std::string> key;

  /// As in insert_options.
  std::optional<std::chrono::nanoseconds> timeout = {};
  std::stop_token stop = {};
};

namespace detail {

/// Rows to be written, one after the other.
class SCALEKIT_EXPORT row_source {
 public:
  virtual ~row_source() = default;
  virtual std::size_t size() const noexcept = 0;
  /// What the values of each column are, where they are not null.
  virtual std::span<const value_kind> kinds() const noexcept = 0;
  /// Appends the values of the next row, of which there must be one.
  virtual void next(value_list& to) = 0;
  virtual void next(statement& to) = 0;
};

template <class T>
constexpr value_kind kind_of() noexcept {
  using scalekit::detail::is_optional;
  using scalekit::detail::is_vector;
  if constexpr (is_optional<T>) {
    return kind_of<typename T::value_type>();
  } else if constexpr (has_codec<T>) {
    return kind_of<typename codec<T>::stored>();
  } else if constexpr (std::is_floating_point_v<T>) {
    return value_kind::real;
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, wall_time>) {
    return value_kind::integer;
  } else if constexpr (is_vector<T>) {
    return value_kind::array;
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return value_kind::text;
  } else {
    return value_kind::blob;
  }
}

/// How the members of a row are gone through: for_each(row, visit), kinds, names (null: none).
template <class T>
struct row_members;

template <class T>
  requires scalekit::detail::is_tuple<T>
struct row_members<T> {
  static constexpr const std::string_view* names = nullptr;
  static constexpr auto kinds = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{kind_of<std::tuple_element_t<I, T>>()...};
  }(std::make_index_sequence<std::tuple_size_v<T>>{});
  template <class Visit>
  static void for_each(const T& row, Visit visit) {
    std::apply([&](const auto&... value) { (visit(value), ...); }, row);
  }
};

template <scalekit::detail::has_row_traits T>
struct row_members<T> {
  static constexpr auto names = scalekit::detail::row_reader<T>::names.data();
  static constexpr auto kinds = std::apply(
      [](const auto&... m) {
        return std::array{
            kind_of<std::decay_t<decltype(std::declval<const T&>().*(m.member))>>()...};
      },
      row_traits<T>::members);
  template <class Visit>
  static void for_each(const T& row, Visit visit) {
    std::apply([&](const auto&... m) { (visit(row.*(m.member)), ...); }, row_traits<T>::members);
  }
};

template <class T>
  requires(scalekit::detail::described<T> && !scalekit::detail::has_row_traits<T>)
struct row_members<T> {
  using members = scalekit::detail::described_members<T>;
  static constexpr auto names = scalekit::detail::row_reader<T>::names.data();
  static constexpr auto kinds = []<class... D>(boost::mp11::mp_list<D...>) {
    return std::array{kind_of<std::decay_t<decltype(std::declval<const T&>().*D::pointer)>>()...};
  }(boost::mp11::mp_rename<members, boost::mp11::mp_list>{});
  template <class Visit>
  static void for_each(const T& row, Visit visit) {
    boost::mp11::mp_for_each<members>([&](auto d) { visit(row.*decltype(d)::pointer); });
  }
};

template <std::ranges::forward_range Range>
class range_source final : public row_source {
 public:
  using row = std::remove_cvref_t<std::ranges::range_reference_t<Range>>;
  using members = row_members<row>;

  explicit range_source(Range& rows)
      : at_(std::ranges::begin(rows)),
        size_(static_cast<std::size_t>(std::ranges::distance(rows))) {}

  std::size_t size() const noexcept override { return size_; }
  std::span<const value_kind> kinds() const noexcept override { return members::kinds; }
  void next(value_list& to) override {
    members::for_each(*at_, [&](const auto& value) { scalekit::detail::encode(to, value); });
    ++at_;
  }
  void next(statement& to) override {
    members::for_each(*at_, [&](const auto& value) { to.bind(value); });
    ++at_;
  }

 private:
  std::ranges::iterator_t<Range> at_;
  std::size_t size_;
};

/// `into` with the names of the members where it names no columns. Throws errc::invalid_argument
/// for names that cannot be, or are too many or too few.
SCALEKIT_EXPORT bulk_target complete(bulk_target into, const std::string_view* names,
                                     std::size_t count);

/// "\"a\"\"b\"" and, of a table, "\"schema\".\"table\"". Throw errc::invalid_argument for a name
/// that is empty or has a NUL in it.
SCALEKIT_EXPORT std::string quoted_column(std::string_view name);
SCALEKIT_EXPORT std::string quoted_table(std::string_view name);

}  // namespace detail
}  // namespace scalekit::db

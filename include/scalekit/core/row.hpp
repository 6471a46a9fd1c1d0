#pragma once

#include "scalekit/core/codec.hpp"
#include "scalekit/core/value.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What a row of a result can be read into:
//
// - an aggregate whose members are named by BOOST_DESCRIBE_STRUCT(product, (), (id, name)), or by
//   a specialisation of row_traits: columns are matched to members BY NAME, in any order;
// - a std::tuple or std::pair: by position;
// - a single value (std::int64_t, std::string, ...), for results of one column.
//
// A missing, an extra or a twice-named column is errc::column_mismatch; so is a value of the wrong
// kind. Members are of the types listed in codec.hpp.

namespace scalekit {

/// Names the members of a type that cannot carry BOOST_DESCRIBE_STRUCT:
///
///     template <> struct scalekit::row_traits<product> {
///       static constexpr std::tuple members{scalekit::column("id", &product::id), ...};
///     };
template <class T>
struct row_traits {};

/// A column name and the member it is read into.
template <class T, class Member>
struct column_of {
  std::string_view name;
  Member T::*member;
};

template <class T, class Member>
constexpr column_of<T, Member> column(std::string_view name, Member T::*member) noexcept {
  return {name, member};
}

namespace detail {

/// What a result must look like to be read into a type.
struct row_shape {
  /// How many columns.
  std::size_t columns;
  /// Names by which columns are found; null: by position.
  const std::string_view* names;
};

/// Receives the rows of one result.
class row_sink {
 public:
  virtual ~row_sink() = default;

  virtual const row_shape& shape() const noexcept = 0;

  /// `row` is in the order of the shape and dies when accept() returns. Throws scalekit::error.
  virtual void accept(const value_view* row) = 0;

  /// Forgets what was accepted: the statement is going to run once more.
  virtual void restart() noexcept = 0;

  /// Whether rows should be handed over while the rest of the result is still on its way; then
  /// accept() may throw anything, which stops the statement.
  virtual bool takes_as_they_come() const noexcept { return false; }

  /// False once something was handed on that cannot be taken back.
  virtual bool can_restart() const noexcept { return true; }

  /// True: accept() must not be called until what was accepted has been consumed.
  virtual bool is_full() const noexcept { return false; }
};

/// For every column of a result, in the order of the shape: its index in the result. Throws
/// errc::column_mismatch, naming the columns that are missing, extra or twice there.
SCALEKIT_EXPORT std::vector<std::size_t> match_columns(const row_shape& shape,
                                                       std::span<const std::string_view> columns);

/// Throws column_mismatch or value_out_of_range, naming column and types.
[[noreturn]] SCALEKIT_EXPORT void throw_decode_failure(decode_status status, const row_shape& shape,
                                                       std::size_t column, value_kind found,
                                                       std::string_view wanted);

template <class T>
concept has_row_traits = requires { row_traits<T>::members; };

template <class T>
concept described = boost::describe::has_describe_members<T>::value && !has_codec<T>;

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;

template <class T>
void decode_column(const row_shape& shape, std::size_t i, const value_view& v, T& out) {
  auto status = decode(v, out);
  if (status != decode_status::ok) [[unlikely]] {
    throw_decode_failure(status, shape, i, v.kind(), type_name<T>());
  }
}

/// How T is read: shape, and read(row, out).
template <class T>
struct row_reader {
  static constexpr row_shape shape{1, nullptr};
  static void read(const value_view* row, T& out) { decode_column(shape, 0, row[0], out); }
};

template <class T>
  requires is_tuple<T>
struct row_reader<T> {
  static constexpr row_shape shape{std::tuple_size_v<T>, nullptr};
  static void read(const value_view* row, T& out) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (decode_column(shape, I, row[I], std::get<I>(out)), ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
  }
};

template <has_row_traits T>
struct row_reader<T> {
  static constexpr std::size_t size = std::tuple_size_v<decltype(row_traits<T>::members)>;
  static constexpr auto names =
      std::apply([](const auto&... m) { return std::array<std::string_view, size>{m.name...}; },
                 row_traits<T>::members);
  static constexpr row_shape shape{size, names.data()};
  static void read(const value_view* row, T& out) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (decode_column(shape, I, row[I], out.*(std::get<I>(row_traits<T>::members).member)), ...);
    }(std::make_index_sequence<size>{});
  }
};

template <class T>
using described_members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                                   boost::describe::mod_inherited>;

template <class T>
  requires(described<T> && !has_row_traits<T>)
struct row_reader<T> {
  using members = described_members<T>;
  static constexpr std::size_t size = boost::mp11::mp_size<members>::value;
  static constexpr auto names = []<class... D>(boost::mp11::mp_list<D...>) {
    return std::array<std::string_view, sizeof...(D)>{D::name...};
  }(boost::mp11::mp_rename<members, boost::mp11::mp_list>{});
  static constexpr row_shape shape{size, names.data()};
  static void read(const value_view* row, T& out) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (decode_column(shape, I, row[I], out.*boost::mp11::mp_at_c<members, I>::pointer), ...);
    }(std::make_index_sequence<size>{});
  }
};

/// Collects rows into a vector.
template <class Row>
class row_collector final : public row_sink {
 public:
  const row_shape& shape() const noexcept override { return row_reader<Row>::shape; }

  void accept(const value_view* row) override {
    if constexpr (std::same_as<Row, bool>) {
      // std::vector<bool> has no bool to refer to.
      bool value = false;
      row_reader<bool>::read(row, value);
      rows_.push_back(value);
    } else {
      row_reader<Row>::read(row, rows_.emplace_back());
    }
  }

  void restart() noexcept override { rows_.clear(); }

  std::vector<Row> take() noexcept { return std::move(rows_); }

 private:
  std::vector<Row> rows_;
};

}  // namespace detail
}  // namespace scalekit

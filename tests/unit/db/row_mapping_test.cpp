#include "scalekit/core/row.hpp"
#include "support/throws_errc.hpp"

#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <string>
#include <tuple>

using namespace scalekit;
using scalekit::detail::decode;
using scalekit::detail::decode_status;
using scalekit::detail::encode;
using scalekit::detail::match_columns;
using scalekit::detail::row_collector;
using support::contains;
using support::error_of;

namespace {

enum class colour : std::uint8_t { red = 1, green = 2 };
BOOST_DESCRIBE_ENUM(colour, red, green)

enum class anything : std::int16_t {};

struct money {
  std::int64_t cents;
};

struct base {
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(base, (), (id))
struct derived : base {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(derived, (base), (name))

struct foreign {
  int number = 0;
  std::string label;
};

template <class T>
decode_status status_of(const value_view& v) {
  T out{};
  return decode(v, out);
}

template <class T>
T decoded(const value_view& v) {
  T out{};
  REQUIRE(decode(v, out) == decode_status::ok);
  return out;
}

value_view integer(std::int64_t v) {
  return value_view(v);
}
value_view real(double v) {
  return value_view(v);
}
value_view text(std::string_view v) {
  return value_view(v);
}

}  // namespace

template <>
struct scalekit::codec<money> {
  using stored = std::int64_t;
  static stored to_stored(const money& m) { return m.cents; }
  static money from_stored(stored cents) { return {cents}; }
};

template <>
struct scalekit::row_traits<foreign> {
  static constexpr std::tuple members{column("no", &foreign::number),
                                      column("label", &foreign::label)};
};

TEST_CASE("integers are read where they fit") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto ok = decode_status::ok, out = decode_status::out_of_range;

  CHECK(status_of<std::int8_t>(integer(-128)) == ok);
  CHECK(status_of<std::int8_t>(integer(-129)) == out);
  CHECK(status_of<std::int8_t>(integer(128)) == out);
  CHECK(status_of<std::uint8_t>(integer(255)) == ok);
  CHECK(status_of<std::uint8_t>(integer(-1)) == out);
  CHECK(status_of<std::int32_t>(integer(most)) == out);
  CHECK(status_of<std::uint64_t>(integer(-1)) == out);
  CHECK(decoded<std::uint64_t>(integer(most)) == 9223372036854775807U);
  CHECK(decoded<std::int64_t>(integer(least)) == least);
}

TEST_CASE("bool is 0 or 1 and nothing else") {
  CHECK(decoded<bool>(integer(1)));
  CHECK_FALSE(decoded<bool>(integer(0)));
  CHECK(status_of<bool>(integer(2)) == decode_status::out_of_range);
  CHECK(status_of<bool>(text("true")) == decode_status::wrong_kind);
}

TEST_CASE("doubles take reals, and integers that are exact") {
  CHECK(decoded<double>(real(0.1)) == 0.1);
  CHECK(decoded<double>(integer(1)) == 1.0);
  CHECK(decoded<double>(integer(std::int64_t{1} << 53)) == 9007199254740992.0);
  CHECK(status_of<double>(integer((std::int64_t{1} << 53) + 1)) == decode_status::out_of_range);
  CHECK(status_of<double>(text("1")) == decode_status::wrong_kind);
  CHECK(status_of<float>(real(1e300)) == decode_status::out_of_range);
  CHECK(decoded<float>(real(std::numeric_limits<double>::infinity())) ==
        std::numeric_limits<float>::infinity());
  CHECK(status_of<std::int64_t>(real(1.0)) == decode_status::wrong_kind);
}

TEST_CASE("null is read into optionals only") {
  CHECK(status_of<std::int64_t>(value_view()) == decode_status::unexpected_null);
  CHECK(status_of<std::string>(value_view()) == decode_status::unexpected_null);
  CHECK_FALSE(decoded<std::optional<std::int64_t>>(value_view()).has_value());
  CHECK(decoded<std::optional<std::int64_t>>(integer(7)) == 7);
  CHECK(status_of<std::optional<std::int8_t>>(integer(700)) == decode_status::out_of_range);
}

TEST_CASE("described enums take only the values they name") {
  CHECK(decoded<colour>(integer(2)) == colour::green);
  CHECK(status_of<colour>(integer(3)) == decode_status::out_of_range);
  CHECK(status_of<colour>(integer(257)) == decode_status::out_of_range);
  CHECK(decoded<anything>(integer(77)) == anything{77});
}

TEST_CASE("text with a NUL is read whole, bytes and wall times as they are") {
  const std::string with_nul("a\0b", 3);
  const bytes blob{std::byte{0}, std::byte{1}};

  CHECK(decoded<std::string>(text(with_nul)) == with_nul);
  CHECK(decoded<bytes>(value_view(std::span<const std::byte>(blob))) == blob);
  CHECK(status_of<bytes>(text("x")) == decode_status::wrong_kind);
  CHECK(decoded<wall_time>(integer(1'000'001)) == from_micros(1'000'001));
}

TEST_CASE("a codec of one's own goes both ways, also inside an optional") {
  value_list values;
  encode(values, money{250});
  encode(values, std::optional<money>{});

  CHECK(values[0].integer() == 250);
  CHECK(values[1].is_null());
  CHECK(decoded<money>(integer(5)).cents == 5);
  CHECK_FALSE(decoded<std::optional<money>>(value_view()).has_value());
}

TEST_CASE("values of every kind are kept by a value_list, however many and long") {
  value_list values;
  const std::string large(1000, 'x');
  encode(values, nullptr);
  encode(values, true);
  encode(values, colour::red);
  encode(values, 1.5f);
  encode(values, "literal");
  encode(values, std::string_view(large));
  encode(values, bytes{std::byte{9}});
  encode(values, from_micros(3));
  auto copy = values;

  CHECK(copy.size() == 8);
  CHECK(copy[0].is_null());
  CHECK(copy[1].integer() == 1);
  CHECK(copy[2].integer() == 1);
  CHECK(copy[3].real() == 1.5);
  CHECK(copy[4].text() == "literal");
  CHECK(copy[5].text() == large);
  CHECK(copy[6].blob()[0] == std::byte{9});
  CHECK(copy[7].integer() == 3);
}

TEST_CASE("vectors are kept as arrays and read back as they were") {
  const std::string long_text(200, 'x');
  value_list values;
  encode(values, std::vector<std::int16_t>{1, -2, 3});
  encode(values, std::vector<std::optional<std::string>>{"a", std::nullopt, long_text, ""});
  encode(values, std::vector<bool>{true, false});
  encode(values, std::vector<bytes>{bytes{std::byte{7}}, bytes{}});
  encode(values, std::vector<float>{0.5f});
  encode(values, std::vector<money>{{100}});
  encode(values, std::vector<int>{});
  encode(values, "after");
  auto copy = values;

  CHECK(copy[0].kind() == value_kind::array);
  CHECK(copy[0].array().element_kind() == value_kind::integer);
  CHECK(copy[0].array().size() == 3);
  CHECK(decoded<std::vector<std::int16_t>>(copy[0]) == std::vector<std::int16_t>{1, -2, 3});
  CHECK(decoded<std::vector<std::optional<std::string>>>(copy[1]) ==
        std::vector<std::optional<std::string>>{"a", std::nullopt, long_text, ""});
  CHECK(decoded<std::vector<bool>>(copy[2]) == std::vector<bool>{true, false});
  CHECK(decoded<std::vector<bytes>>(copy[3]) == std::vector<bytes>{bytes{std::byte{7}}, bytes{}});
  CHECK(decoded<std::vector<double>>(copy[4]) == std::vector<double>{0.5});
  CHECK(decoded<std::vector<money>>(copy[5])[0].cents == 100);
  CHECK(copy[6].array().empty());
  CHECK(copy[6].array().element_kind() == value_kind::null);
  CHECK(decoded<std::vector<int>>(copy[6]).empty());
  CHECK(copy[7].text() == "after");
}

TEST_CASE("a vector takes only arrays, and only elements that fit") {
  value_list values;
  encode(values, std::vector<std::int64_t>{1, 300});
  encode(values, std::vector<std::optional<int>>{1, std::nullopt});
  encode(values, std::vector<std::optional<int>>{std::nullopt});

  CHECK(status_of<std::vector<std::int8_t>>(values[0]) == decode_status::element_out_of_range);
  CHECK(status_of<std::vector<std::string>>(values[0]) == decode_status::wrong_element_kind);
  CHECK(status_of<std::vector<int>>(values[1]) == decode_status::unexpected_null_element);
  CHECK(status_of<std::int64_t>(values[0]) == decode_status::wrong_kind);
  CHECK(status_of<std::vector<int>>(integer(1)) == decode_status::wrong_kind);
  CHECK(status_of<std::vector<int>>(value_view()) == decode_status::unexpected_null);
  CHECK_FALSE(decoded<std::optional<std::vector<int>>>(value_view()).has_value());
  CHECK_FALSE(decoded<std::vector<std::optional<int>>>(values[2])[0].has_value());
}

TEST_CASE("an array that cannot be read names its column and both types") {
  value_list values;
  encode(values, std::vector<std::optional<int>>{1, std::nullopt});
  row_collector<std::vector<int>> ints;
  row_collector<std::vector<std::string>> texts;
  row_collector<std::string> text_rows;
  const value_view row[] = {values[0]};

  auto null = error_of([&] { ints.accept(row); });
  auto element = error_of([&] { texts.accept(row); });
  auto kind = error_of([&] { text_rows.accept(row); });

  CHECK(null.code() == errc::column_mismatch);
  CHECK(contains(null.what(), "holds an array with a null, the member is vector<int32>"));
  CHECK(element.code() == errc::column_mismatch);
  CHECK(contains(element.what(), "not those of the member, vector<string>"));
  CHECK(contains(kind.what(), "holds array, the member is string"));
}

TEST_CASE("an unsigned integer above 2^63 - 1 cannot be stored, and the error says which it is") {
  value_list values;
  encode(values, 1);

  auto e = error_of([&] { encode(values, std::uint64_t{1} << 63); });
  auto element = error_of([&] {
    encode(values, std::vector<std::uint64_t>{0, std::uint64_t{1} << 63});
  });

  CHECK(e.code() == errc::value_out_of_range);
  CHECK(contains(e.what(), "$2"));
  CHECK(contains(element.what(), "$2"));
  CHECK(values.size() == 1);
}

TEST_CASE("columns are matched by name in any order") {
  const auto& shape = detail::row_reader<foreign>::shape;
  const std::vector<std::string_view> columns{"label", "no"};

  CHECK(match_columns(shape, columns) == std::vector<std::size_t>{1, 0});
}

TEST_CASE("inherited members are columns as well") {
  const auto& shape = detail::row_reader<derived>::shape;
  const std::vector<std::string_view> columns{"name", "id"};
  row_collector<derived> rows;

  auto order = match_columns(shape, columns);
  const value_view in_result[] = {text("sofa"), integer(7)};
  const value_view row[] = {in_result[order[0]], in_result[order[1]]};
  rows.accept(row);

  auto all = rows.take();
  CHECK(all[0].id == 7);
  CHECK(all[0].name == "sofa");
}

TEST_CASE("columns that are missing, extra, twice there or too many are named") {
  const auto& by_name = detail::row_reader<foreign>::shape;
  const auto& by_position = detail::row_reader<std::tuple<int, int>>::shape;
  auto message = [](const detail::row_shape& shape, std::vector<std::string_view> columns) {
    auto e = error_of([&] { match_columns(shape, columns); });
    CHECK(e.code() == errc::column_mismatch);
    return std::string(e.what());
  };

  CHECK(contains(message(by_name, {"no"}), "no column 'label'"));
  CHECK(contains(message(by_name, {"no", "label", "x"}), "'x' has no member"));
  CHECK(contains(message(by_name, {"no", "label", "no"}), "'no' is there twice"));
  CHECK(contains(message(by_name, {}), "the result has none"));
  CHECK(contains(message(by_position, {"a"}), "the type wants 2 by position"));
}

TEST_CASE("a value that cannot be read names its column and both types") {
  row_collector<foreign> rows;
  const value_view wrong_kind[] = {text("x"), text("y")};
  const value_view too_large[] = {integer(std::int64_t{1} << 40), text("y")};

  auto kind = error_of([&] { rows.accept(wrong_kind); });
  auto range = error_of([&] { rows.accept(too_large); });

  CHECK(kind.code() == errc::column_mismatch);
  CHECK(contains(kind.what(), "column 'no': holds text, the member is int32"));
  CHECK(range.code() == errc::value_out_of_range);
  CHECK(contains(range.what(), "column 'no': the integer does not fit int32"));
}

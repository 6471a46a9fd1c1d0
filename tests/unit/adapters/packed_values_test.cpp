#include "scalekit/adapters/detail/cached_rows.hpp"
#include "support/throws_errc.hpp"

#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace scalekit;
using adapters::detail::typed_rows;
using scalekit::detail::pack;
using scalekit::detail::unpack;

namespace {

struct money {
  std::int64_t cents = 0;
  friend bool operator==(const money&, const money&) = default;
};

enum class color { red = 1, blue = 2 };

struct product {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;
  money cost;
  color shade = color::red;
  bytes picture;
  std::vector<std::optional<std::string>> tags;
  wall_time since{};
  friend bool operator==(const product&, const product&) = default;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, price, cost, shade, picture, tags, since))

template <class Row>
std::vector<Row> there_and_back(const std::vector<Row>& rows) {
  typed_rows<Row> from, to;
  from.rows = rows;
  std::string packed;
  REQUIRE(from.pack_into(packed, 1000, 1 << 20));
  to.unpack_from(packed);
  return to.rows;
}

std::string packed(const value_list& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) pack(out, values[i]);
  return out;
}

}  // namespace

template <>
struct scalekit::codec<money> {
  using stored = std::int64_t;
  static stored to_stored(const money& m) { return m.cents; }
  static money from_stored(stored cents) { return {cents}; }
};

TEST_CASE("rows come back as they were") {
  const std::vector<product> products{
      {1, "sofa", 250.5, {25050}, color::blue, {std::byte{0}, std::byte{255}}, {"a", {}, ""}, {}},
      {-7,
       std::string("\0'\xc3\xa9", 4),
       {},
       {},
       color::red,
       {},
       {},
       from_micros(1'700'000'000'000'000)},
  };
  using pair = std::tuple<std::int64_t, std::optional<std::string>>;

  CHECK(there_and_back(products) == products);
  CHECK(there_and_back<product>({}).empty());
  CHECK(there_and_back<pair>({{1, "x"}, {2, {}}}) == std::vector<pair>{{1, "x"}, {2, {}}});
  CHECK(there_and_back<bool>({true, false, true}) == std::vector<bool>{true, false, true});
  CHECK(there_and_back<std::string>({"", "x"}) == std::vector<std::string>{"", "x"});
  CHECK(there_and_back<double>({-0.5, 1e300}) == std::vector<double>{-0.5, 1e300});
  CHECK(there_and_back<std::int64_t>({std::numeric_limits<std::int64_t>::min()}) ==
        std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()});
}

TEST_CASE("too many rows and too many bytes are not packed") {
  typed_rows<std::string> from;
  from.rows = {"aaaa", "bbbb", "cccc"};
  std::string out;

  CHECK_FALSE(from.pack_into(out, 2, 1000));
  out.clear();
  CHECK_FALSE(from.pack_into(out, 3, 30));
  out.clear();
  CHECK(from.pack_into(out, 3, 39));
}

TEST_CASE("different lists of values never pack to the same bytes") {
  std::vector<value_list> lists(12);
  lists[1].add_null();
  lists[2].add(std::int64_t{0});
  lists[3].add(0.0);
  lists[4].add(std::string_view(""));
  lists[5].add(std::span<const std::byte>());
  lists[6].add_array([](auto&) {});
  lists[7].add(std::string_view("ab"));
  lists[8].add(std::string_view("a"));
  lists[8].add(std::string_view("b"));
  lists[9].add(std::string_view("b"));
  lists[9].add(std::string_view("a"));
  lists[10].add_array([](auto& elements) { elements.add(std::int64_t{1}); });
  lists[11].add_array([](auto& elements) { elements.add(std::string_view("ab")); });

  std::set<std::string> seen;
  for (const auto& list : lists) seen.insert(packed(list));

  CHECK(seen.size() == lists.size());
}

TEST_CASE("what is cut off is found out") {
  value_list values;
  values.add(std::string_view("sofa"));
  const auto whole = packed(values);

  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto cut = std::string_view(whole).substr(0, size);
    CHECK_ERRC(unpack(cut), errc::corrupt);
  }
  std::string_view unknown("\x7f");
  CHECK_ERRC(unpack(unknown), errc::corrupt);
}

TEST_CASE("rows that were packed for another type are the errors that the database would give") {
  typed_rows<std::string> from;
  from.rows = {"sofa"};
  std::string out;
  REQUIRE(from.pack_into(out, 10, 1000));

  typed_rows<std::int64_t> to;
  CHECK_ERRC(to.unpack_from(out), errc::column_mismatch);
}

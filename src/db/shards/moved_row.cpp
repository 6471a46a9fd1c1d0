#include "db/shards/moved_row.hpp"

#include "scalekit/core/detail/packed_values.hpp"
#include "scalekit/core/error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace scalekit::db::detail {
namespace {

namespace json = boost::json;
using scalekit::detail::row_shape;

// As many columns as a table of PostgreSQL can have, and some. Statements remember their shapes by
// address: these live as long as the program.
constexpr std::size_t most_columns = 2'000;

constexpr auto shapes = [] {
  std::array<row_shape, most_columns + 1> all{};
  for (std::size_t i = 0; i <= most_columns; ++i) all[i] = {i, nullptr};
  return all;
}();

std::string bytes_of(const value_list& values, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < values.size(); ++i) scalekit::detail::pack(out, values[i]);
  return out;
}

}  // namespace

std::string moved_row::ids() const {
  // Behind the column by which the row is sharded.
  return bytes_of(place, 1);
}

bool moved_row::has_image_of(const moved_row& other) const {
  return bytes_of(image, 0) == bytes_of(other.image, 0);
}

moved_rows::moved_rows(std::size_t image, std::size_t all)
    : shape_(shapes[std::min(all, most_columns)]), image_(image) {
  if (all > most_columns) throw error(errc::too_large, "range_move: a table of too many columns");
}

void moved_rows::accept(const value_view* row) {
  auto& made = rows_.emplace_back();
  for (std::size_t i = 0; i < shape_.columns; ++i) {
    (i < image_ ? made.image : made.place).add(row[i]);
  }
}

void bind(statement& to, const value_list& values, std::size_t first) {
  for (std::size_t i = first; i < values.size(); ++i) to.bind(values[i]);
}

std::string to_json(const move_progress& progress) {
  json::array after;
  for (std::size_t i = 0; i < progress.after.size(); ++i) {
    const auto v = progress.after[i];
    if (v.kind() == value_kind::integer) {
      after.emplace_back(v.integer());
    } else if (v.kind() == value_kind::text) {
      after.emplace_back(json::string(v.text().data(), v.text().size()));
    } else {
      throw error(errc::invalid_argument,
                  "range_move: a column among the ids, or the one by which the table is sharded, "
                  "holds what is neither an integer nor a text: " +
                      std::string(to_string(v.kind())));
    }
  }
  return json::serialize(json::object{{"table", progress.table}, {"after", std::move(after)}});
}

move_progress parse_progress(std::string_view text) {
  move_progress progress;
  const auto parsed = json::parse({text.data(), text.size()});
  const auto& o = parsed.as_object();
  progress.table = o.at("table").to_number<std::size_t>();
  for (const auto& v : o.at("after").as_array()) {
    if (v.is_string()) {
      progress.after.add(std::string_view(v.as_string().data(), v.as_string().size()));
    } else {
      progress.after.add(v.to_number<std::int64_t>());
    }
  }
  return progress;
}

}  // namespace scalekit::db::detail

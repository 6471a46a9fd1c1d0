#pragma once

#include "scalekit/core/detail/packed_values.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/core/value_list.hpp"
#include "scalekit/db/bulk.hpp"
#include "scalekit/db/client.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What joins the typed face of a result cache to its body, which knows bytes only.

namespace scalekit::adapters::detail {

/// The rows of one call.
class row_port {
 public:
  virtual ~row_port() = default;

  virtual const scalekit::detail::row_shape& shape() const noexcept = 0;
  virtual void read(db::client& from, const db::statement& query,
                    const db::call_options& options) = 0;
  /// Appends the rows that were read. False: they are too many, or take too many bytes.
  virtual bool pack_into(std::string& to, std::size_t max_rows, std::size_t max_bytes) const = 0;
  /// Throws what reading them from the database would have thrown.
  virtual void unpack_from(std::string_view packed) = 0;
};

template <class Row>
class typed_rows final : public row_port {
 public:
  const scalekit::detail::row_shape& shape() const noexcept override { return reader::shape; }

  void read(db::client& from, const db::statement& query,
            const db::call_options& options) override {
    rows = from.read<Row>(query, options);
  }

  bool pack_into(std::string& to, std::size_t max_rows, std::size_t max_bytes) const override {
    if (rows.size() > max_rows) return false;
    value_list values;
    for (const auto& row : rows) {
      values.clear();
      put(values, row);
      for (std::size_t i = 0; i < values.size(); ++i) scalekit::detail::pack(to, values[i]);
      if (to.size() > max_bytes) return false;
    }
    return true;
  }

  void unpack_from(std::string_view packed) override {
    scalekit::detail::row_collector<Row> collector;
    std::array<value_view, reader::shape.columns> values;
    while (!packed.empty()) {
      for (auto& value : values) value = scalekit::detail::unpack(packed);
      collector.accept(values.data());
    }
    rows = collector.take();
  }

  std::vector<Row> rows;

 private:
  using reader = scalekit::detail::row_reader<Row>;

  static void put(value_list& to, const Row& row) {
    const auto one = [&to](const auto& value) { scalekit::detail::encode(to, value); };
    if constexpr (requires { db::detail::row_members<Row>::kinds; }) {
      db::detail::row_members<Row>::for_each(row, one);
    } else {
      one(row);
    }
  }
};

}  // namespace scalekit::adapters::detail

#pragma once

#include "scalekit/core/row.hpp"
#include "scalekit/core/value_list.hpp"
#include "scalekit/db/statement.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

/// A row on its way from one shard to the other; see move_sql.hpp.
struct moved_row {
  value_list image;
  value_list place;

  /// The ids, in one string that no other ids have.
  std::string ids() const;
  bool has_image_of(const moved_row& other) const;
};

/// Reads rows of any table.
class moved_rows final : public scalekit::detail::row_sink {
 public:
  /// The first `image` of `all` columns are the image.
  moved_rows(std::size_t image, std::size_t all);

  const scalekit::detail::row_shape& shape() const noexcept override { return shape_; }
  void accept(const value_view* row) override;
  void restart() noexcept override { rows_.clear(); }

  std::vector<moved_row> take() noexcept { return std::move(rows_); }

 private:
  const scalekit::detail::row_shape& shape_;
  std::size_t image_;
  std::vector<moved_row> rows_;
};

/// Binds the values from `first` on.
void bind(statement& to, const value_list& values, std::size_t first = 0);

/// How far the copy of all tables has come.
struct move_progress {
  std::size_t table = 0;
  /// The place of the last row that was copied of it; empty: none yet.
  value_list after = {};
};

/// Throws errc::invalid_argument for a place that is neither an integer nor a text.
std::string to_json(const move_progress& progress);
move_progress parse_progress(std::string_view json);

}  // namespace scalekit::db::detail

#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/row.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <utility>

namespace scalekit::db {

/// How much of a result a read of row after row takes before it gives up with errc::too_large.
struct stream_limits {
  /// Rows. Default 0: no limit.
  std::uint64_t max_rows = 0;
  /// Bytes of all values together: of text, blobs and arrays their size, 8 for any other. Default
  /// 0: no limit. A single value has max_value_bytes besides.
  std::uint64_t max_bytes = 0;
};

namespace detail {

/// Counts what is handed over.
class SCALEKIT_EXPORT stream_meter {
 public:
  explicit stream_meter(const stream_limits& limits) noexcept : limits_(limits) {}

  /// Throws errc::too_large, before the row that would be too much.
  void count(const value_view* row, std::size_t columns);
  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  stream_limits limits_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Of a read that was stopped while its rows were handed over.
SCALEKIT_EXPORT error cancelled_between_rows(const std::source_location& site, std::uint64_t rows);

/// Hands each row to a function as it comes.
template <class Row, class Each>
class row_stream : public scalekit::detail::row_sink {
 public:
  row_stream(Each& each, const stream_limits& limits) : each_(each), meter_(limits) {}

  const scalekit::detail::row_shape& shape() const noexcept override {
    return scalekit::detail::row_reader<Row>::shape;
  }
  void accept(const value_view* row) override {
    meter_.count(row, shape().columns);
    Row value{};
    scalekit::detail::row_reader<Row>::read(row, value);
    each_(std::move(value));
  }
  void restart() noexcept override {}
  bool takes_as_they_come() const noexcept override { return true; }
  bool can_restart() const noexcept override { return meter_.rows() == 0; }

  std::uint64_t rows() const noexcept { return meter_.rows(); }
  std::uint64_t bytes() const noexcept { return meter_.bytes(); }

 private:
  Each& each_;
  stream_meter meter_;
};

}  // namespace detail
}  // namespace scalekit::db

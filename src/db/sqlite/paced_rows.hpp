#pragma once

#include "db/sqlite/stop_condition.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <utility>

namespace scalekit::db::sqlite {

/// Rows that are handed over as they come: whenever no more fit, the connection's thread, which
/// nobody else needs meanwhile, waits until they were consumed.
class paced_rows final : public detail::row_sink {
 public:
  /// Within `limits` of the call.
  paced_rows(detail::async_call& call, const stop_condition& limits)
      : call_(call), rows_(*call.rows()), limits_(limits) {}

  const scalekit::detail::row_shape& shape() const noexcept override { return rows_.shape(); }
  void accept(const value_view* row) override {
    rows_.accept(row);
    if (rows_.is_full()) hand_over();
  }
  void restart() noexcept override { rows_.restart(); }
  bool takes_as_they_come() const noexcept override { return true; }
  bool can_restart() const noexcept override { return rows_.can_restart(); }

 private:
  /// Whether the client is being closed is a flag that wakes nobody.
  static constexpr std::chrono::milliseconds look_again{10};

  void hand_over() {
    auto consumed = std::make_shared<std::promise<void>>();
    auto is_consumed = consumed->get_future();
    // It alone has the promise, which breaks when the executor is gone.
    call_.hand_over([consumed = std::move(consumed)](std::exception_ptr e) {
      e ? consumed->set_exception(std::move(e)) : consumed->set_value();
    });
    while (is_consumed.wait_for(look_again) != std::future_status::ready) {
      const auto why = limits_.check();
      if (why != stop_cause::none) throw error(errc_of(why), text_of(why, limits_.begun));
    }
    is_consumed.get();
  }

  detail::async_call& call_;
  detail::row_sink& rows_;
  const stop_condition limits_;
};

}  // namespace scalekit::db::sqlite

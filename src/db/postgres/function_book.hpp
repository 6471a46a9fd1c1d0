#pragma once

#include "db/classify/function_catalogue.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <memory>
#include <mutex>

namespace scalekit::db::postgres {

/// The functions of a client's database: asked for when a statement first calls one, and again when
/// it calls an unknown one, but not more than once a minute.
///
/// Thread safety: every member may be called from any thread.
class function_book {
 public:
  /// Null before the first answer.
  std::shared_ptr<const detail::function_catalogue> known() const;

  /// Whether a newer catalogue could say more of the statement than `known` does.
  static bool could_help(const detail::statement_class& c, const detail::function_catalogue* known);

  /// True for the one who is to ask for it now.
  bool claim(time_point now);

  /// What takes the answer to function_catalogue_query.
  static std::shared_ptr<detail::async_call> fill(std::shared_ptr<function_book> book);

  void store(std::shared_ptr<const detail::function_catalogue> newer);
  /// The question failed.
  void fail(time_point now);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const detail::function_catalogue> known_;
  time_point next_ = time_point::min();
};

}  // namespace scalekit::db::postgres

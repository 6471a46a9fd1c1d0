#include "db/postgres/function_book.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

namespace scalekit::db::postgres {

using namespace std::chrono_literals;
using detail::function_catalogue;

namespace {

class fill_call final : public detail::async_call {
 public:
  explicit fill_call(std::shared_ptr<function_book> book) : book_(std::move(book)) {}

  detail::row_sink* rows() noexcept override { return &rows_; }
  std::stop_token stop() const noexcept override { return {}; }

  void finish(std::exception_ptr e, write_result) noexcept override {
    try {
      if (e) std::rethrow_exception(e);
      auto made = std::make_shared<function_catalogue>();
      for (const auto& [schema, name, any_volatile] : rows_.take()) {
        made->add(schema, name, any_volatile);
      }
      book_->store(std::move(made));
    } catch (const std::exception&) {
      // Without it everything goes to the primary.
      book_->fail(std::chrono::steady_clock::now());
    }
  }

 private:
  const std::shared_ptr<function_book> book_;
  scalekit::detail::row_collector<std::tuple<std::string, std::string, bool>> rows_;
};

}  // namespace

std::shared_ptr<const function_catalogue> function_book::known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

bool function_book::could_help(const detail::statement_class& c, const function_catalogue* known) {
  if (c.locks_rows || c.unreadable || c.calls_effectful_builtin) return false;
  return known == nullptr ||
         std::any_of(c.functions.begin(), c.functions.end(), [known](const auto& f) {
           return known->of(f) == function_catalogue::verdict::unknown;
         });
}

bool function_book::claim(time_point now) {
  const std::lock_guard lock(mutex_);
  if (now < next_) return false;
  next_ = now + 1min;
  return true;
}

std::shared_ptr<detail::async_call> function_book::fill(std::shared_ptr<function_book> book) {
  return std::make_shared<fill_call>(std::move(book));
}

void function_book::store(std::shared_ptr<const function_catalogue> newer) {
  const std::lock_guard lock(mutex_);
  known_ = std::move(newer);
}

void function_book::fail(time_point now) {
  const std::lock_guard lock(mutex_);
  next_ = std::min(next_, now + 1s);
}

}  // namespace scalekit::db::postgres

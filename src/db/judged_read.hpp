#pragma once

#include "scalekit/db/detail/backend.hpp"

#include <exception>
#include <memory>
#include <stop_token>
#include <utility>

namespace scalekit::db::detail {

/// What execute() took for a read, under way without a thread of its caller's: runs it as a write
/// where it is one after all.
class judged_read final : public async_call {
 public:
  judged_read(std::shared_ptr<backend> on, statement query, call_options options,
              std::shared_ptr<async_call> call)
      : backend_(std::move(on)),
        query_(std::move(query)),
        options_(std::move(options)),
        call_(std::move(call)) {}

  row_sink* rows() noexcept override { return call_->rows(); }
  std::stop_token stop() const noexcept override { return call_->stop(); }

  void finish(std::exception_ptr e, write_result done) noexcept override {
    if (!e || !backend_->is_write_after_all(query_, to_error(e))) {
      return call_->finish(std::move(e), std::move(done));
    }
    if (auto* rows = call_->rows()) rows->restart();
    try {
      backend_->async_run(access::write, std::move(query_), std::move(options_), call_);
    } catch (...) {
      call_->finish(std::current_exception(), {});
    }
  }

 private:
  const std::shared_ptr<backend> backend_;
  statement query_;
  call_options options_;
  const std::shared_ptr<async_call> call_;
};

}  // namespace scalekit::db::detail

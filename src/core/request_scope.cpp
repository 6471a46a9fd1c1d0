#include "scalekit/core/request_scope.hpp"

#include <atomic>
#include <utility>

namespace scalekit {

struct request_scope::state {
  std::uint64_t id;
  std::string name;
  trace_context trace;
};

namespace {
std::atomic<std::uint64_t> next_id{1};
const std::string no_name;
const trace_context no_trace;
}  // namespace

request_scope request_scope::begin(std::string name, trace_context trace) {
  request_scope scope;
  scope.state_ = std::make_shared<const state>(
      state{next_id.fetch_add(1, std::memory_order_relaxed), std::move(name), std::move(trace)});
  return scope;
}

std::uint64_t request_scope::id() const noexcept {
  return state_ ? state_->id : 0;
}
const std::string& request_scope::name() const noexcept {
  return state_ ? state_->name : no_name;
}
const trace_context& request_scope::trace() const noexcept {
  return state_ ? state_->trace : no_trace;
}

}  // namespace scalekit

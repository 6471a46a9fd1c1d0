#include "scalekit/core/request_scope.hpp"

#include <utility>

namespace scalekit {

struct request_scope::state {
  std::uint64_t id;
  std::string name;
  std::string traceparent;
};

namespace {
std::atomic<std::uint64_t> next_id{1};
const std::string empty;
}  // namespace

request_scope request_scope::begin(std::string name, std::string traceparent) {
  request_scope scope;
  scope.state_ = std::make_shared<const state>(state{
      next_id.fetch_add(1, std::memory_order_relaxed), std::move(name), std::move(traceparent)});
  return scope;
}

std::uint64_t request_scope::id() const noexcept {
  return state_ ? state_->id : 0;
}
const std::string& request_scope::name() const noexcept {
  return state_ ? state_->name : empty;
}
const std::string& request_scope::traceparent() const noexcept {
  return state_ ? state_->traceparent : empty;
}

}  // namespace scalekit

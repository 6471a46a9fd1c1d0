#include "scalekit/db/session.hpp"

#include <mutex>

namespace scalekit::db {

struct session::state {
  mutable std::mutex mutex;
  causal_token newest;
};

session::session() : state_(std::make_shared<state>()) {}

session::session(std::string_view token) : session() {
  state_->newest = causal_token::parse(token);
}

std::string session::token() const {
  return newest().to_string();
}

causal_token session::newest() const {
  const std::lock_guard lock(state_->mutex);
  return state_->newest;
}

void session::observe(std::string_view token) {
  observe(causal_token::parse(token));
}

void session::observe(const causal_token& token) {
  const std::lock_guard lock(state_->mutex);
  state_->newest.merge(token);
}

}  // namespace scalekit::db

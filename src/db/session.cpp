#include "scalekit/db/session.hpp"

#include <mutex>

namespace scalekit::db {

struct session::state {
  mutable std::mutex mutex;
  causal_token newest;
  bool misses_one = false;
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

void session::miss() {
  const std::lock_guard lock(state_->mutex);
  state_->misses_one = true;
}

bool session::misses_one() const {
  const std::lock_guard lock(state_->mutex);
  return state_->misses_one;
}

void session::make_up(const causal_token& token) {
  const std::lock_guard lock(state_->mutex);
  state_->newest.merge(token);
  state_->misses_one = false;
}

}  // namespace scalekit::db

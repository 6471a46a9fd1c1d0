#include "scalekit/adapters/detail/cached_call.hpp"

#include "adapters/result_cache_state.hpp"
#include "scalekit/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace scalekit::adapters::detail {

using db::consistency;
using kind = db::consistency::kind;
using scalekit::detail::pack;
using verdict = read_plan::verdict;

namespace {

constexpr std::size_t longest_key = 65536;

// What is kept begins with one of these.
constexpr char rows_follow = 'r';
/// The result is too large: read it yourself.
constexpr char is_large = 'l';
/// Whoever read it was stopped, or had no more time: read it yourself.
constexpr char is_left_to_you = 'y';

/// Nothing where the database alone can tell, or refuse.
std::optional<read_need> need_of(const db::call_options& options) {
  read_need need{.token = options.consistency.token(), .may_use_primary = options.labels.empty()};
  switch (options.consistency.what()) {
    case kind::primary:
      return std::nullopt;
    case kind::bounded:
      need.lag = options.consistency.lag();
      break;
    case kind::own_writes:
      if (!options.session) break;
      try {
        need.token.merge(options.session->newest());
      } catch (const error&) {
        return std::nullopt;
      }
      break;
    case kind::after:
    case kind::any:
      break;
  }
  return need;
}

void append_text(std::string& to, std::string_view text) {
  pack(to, value_view(text));
}

std::string key_of(const result_cache_state& of, const cached& how, const read_plan& plan,
                   const db::statement& query, const scalekit::detail::row_shape& shape) {
  std::string key = of.id;
  append_text(key, plan.version);
  for (const auto& name : how.tables()) append_text(key, name);
  pack(key, value_view(static_cast<std::int64_t>(shape.columns)));
  for (std::size_t i = 0; shape.names != nullptr && i < shape.columns; ++i) {
    append_text(key, shape.names[i]);
  }
  pack(key, {});
  append_text(key, query.text());
  const auto& values = query.parameters();
  for (std::size_t i = 0; i < values.size(); ++i) pack(key, values[i]);
  if (key.size() > longest_key) key.clear();
  return key;
}

bool may_succeed_for_others(const std::exception_ptr& failure) {
  const auto e = to_error(failure);
  return e.code() == errc::cancelled || is_timeout(e.code());
}

}  // namespace

struct cached_call::plan : read_plan {};

cached_call::cached_call(std::shared_ptr<result_cache_state> state, const cached& how,
                         const db::statement& query, const db::call_options& options,
                         row_port& rows)
    : state_(std::move(state)),
      how_(how),
      query_(query),
      options_(options),
      rows_(rows),
      until_(deadline::after(options.timeout.value_or(state_->params.timeout))),
      key_(find_key()) {}

std::string cached_call::find_key() {
  auto& counted = state_->counted;
  const auto need = need_of(options_);
  if (need) plan_ = std::make_unique<plan>(plan{state_->plan(how_.tables(), *need)});
  std::string key;
  if (plan_ && plan_->what == verdict::deaf) {
    counted.deaf.add();
  } else if (plan_ && plan_->what == verdict::ahead) {
    counted.ahead.add();
  } else {
    if (plan_) key = key_of(*state_, how_, *plan_, query_, rows_.shape());
    if (key.empty()) counted.by_choice.add();
  }
  return key;
}

cached_call::~cached_call() = default;

cache::store& cached_call::store() const noexcept {
  return state_->store;
}

db::client& cached_call::client() const noexcept {
  return state_->client;
}

db::call_options cached_call::rest() const {
  auto options = options_;
  options.timeout = until_.remaining();
  return options;
}

std::string cached_call::load(const cache::load_context& context) {
  led_ = true;
  std::string bytes(1, rows_follow);
  try {
    fill(context);
  } catch (...) {
    failure_ = std::current_exception();
    if (!may_succeed_for_others(failure_)) throw;
    return unkept(std::string(1, is_left_to_you));
  }
  if (!rows_.pack_into(bytes, state_->params.max_rows, state_->params.max_bytes)) {
    state_->counted.large.add();
    return std::string(1, is_large);
  }
  if (state_->is_current(how_.tables(), *plan_)) return bytes;
  state_->counted.changed.add();
  return unkept(std::move(bytes));
}

/// For those who wait now alone: a store does not keep what was erased while it was loaded.
std::string cached_call::unkept(std::string bytes) {
  state_->store.erase(key_);
  return bytes;
}

void cached_call::fill(const cache::load_context& context) {
  auto options = rest();
  options.consistency = plan_->on_primary ? consistency::primary() : with_floor();
  if (!options.stop.stop_possible()) options.stop = context.stop;
  read(std::move(options));
}

void cached_call::read_past() {
  read(past());
}

void cached_call::read(db::call_options options) {
  try {
    return rows_.read(state_->client, query_, options);
  } catch (...) {
    if (!may_be_lost_floor(std::current_exception())) throw;
  }
  // Throws again where the floor is not to blame.
  options.consistency = options_.consistency;
  options.timeout = until_.remaining();
  rows_.read(state_->client, query_, options);
  lost_floor();
}

bool cached_call::may_be_lost_floor(const std::exception_ptr& failure) const {
  if (!failure || !plan_ || plan_->floor.is_empty()) return false;
  const auto code = to_error(failure).code();
  return code == errc::write_lost || code == errc::invalid_argument;
}

void cached_call::lost_floor() {
  state_->lost_writes();
}

db::call_options cached_call::past() const {
  auto options = rest();
  options.consistency = with_floor();
  return options;
}

/// What the caller asks for, and the floor. A bound on the lag stands alone where the cache cannot
/// answer for it.
consistency cached_call::with_floor() const {
  const auto& asked = options_.consistency;
  if (!plan_ || plan_->floor.is_empty()) return asked;
  if (asked.what() == kind::bounded && plan_->what != verdict::cached) return asked;
  auto both = plan_->floor;
  try {
    both.merge(asked.token());
  } catch (const error&) {
    return asked;
  }
  return asked.what() == kind::own_writes ? consistency::own_writes_and(both)
                                          : consistency::after(both);
}

bool cached_call::finish(std::exception_ptr failure, const cache::lookup<std::string>& found) {
  auto& counted = state_->counted;
  if (failure) std::rethrow_exception(std::move(failure));
  if (led_) {
    if (failure_) std::rethrow_exception(failure_);
    counted.misses.add();
    return true;
  }
  const std::string_view kept = *found;
  switch (kept.front()) {
    case is_large:
      counted.by_choice.add();
      return false;
    case is_left_to_you:
      counted.misses.add();
      return false;
    default:
      rows_.unpack_from(kept.substr(1));
      (found.tier == cache::tier::loader ? counted.shared : counted.hits).add();
      return true;
  }
}

}  // namespace scalekit::adapters::detail

#include "scalekit/cache/sessions.hpp"

#include "cache/session_record.hpp"
#include "core/require.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <chrono>

namespace scalekit::cache {

using namespace std::chrono_literals;
using detail::session_life;

namespace {

constexpr std::size_t max_user_bytes = 1024;

/// A generation that was just drawn may not have been kept: another process had one, or the cache
/// had to let it go. More often than this is no accident.
constexpr int generation_tries = 8;

void validate(const session_params& p) {
  using scalekit::detail::require_range;
  require_range("session_params.idle", p.idle, 1s, detail::longest_session);
  require_range("session_params.lifetime", p.lifetime, 1s, detail::longest_session);
  require_range("session_params.touch_after", p.touch_after, 0.0, 0.9);
  require_range("session_params.memory_ttl", p.memory_ttl, 0s, detail::longest_session);
  scalekit::detail::require(p.clock != nullptr, "session_params.clock", "null", "a clock");
}

void check_user(std::string_view user) {
  if (user.size() <= max_user_bytes) return;
  throw error(errc::invalid_argument, "a session's user of " + std::to_string(user.size()) +
                                          " bytes; at most " + std::to_string(max_user_bytes));
}

}  // namespace

sessions::sessions(store in, session_params params)
    : in_(std::move(in)), params_(std::move(params)) {
  validate(params_);
}

std::string sessions::data_key(const std::string& name) {
  return "session:data:" + name;
}

call_options sessions::waiting(const deadline& until) {
  return {.timeout = until.remaining()};
}

policy sessions::policy_for(std::chrono::milliseconds ttl) const {
  return {.type = "session", .ttl = ttl, .memory_ttl = params_.memory_ttl, .jitter = 0};
}

sessions::draft sessions::prepare(std::string_view user, const deadline& until) {
  check_user(user);
  const auto now = params_.clock->wall_now();
  draft made;
  made.id = detail::random_token();
  made.name = detail::session_name(made.id);
  made.user = user;
  made.generation = generation_of(user, now, until);
  made.created = now;
  made.expires = now + params_.lifetime;
  made.left = params_.lifetime;
  return made;
}

void sessions::establish(const draft& made, const deadline& until) {
  in_.set(detail::use_key(made.name), true, policy_for(std::min(params_.idle, made.left)),
          waiting(until));
  // Last: it makes of all that a session.
  in_.set(detail::life_key(made.name),
          session_life{made.generation, made.created, made.expires, made.user},
          policy_for(made.left), waiting(until));
}

std::string sessions::generation_of(std::string_view user, wall_time at, const deadline& until) {
  const auto key = detail::generation_key(user, detail::period_of(at));
  for (int tries = 0; tries < generation_tries; ++tries) {
    const auto found = in_.get_or_load<std::string>(
        key, policy_for(detail::generation_ttl), [] { return detail::random_token(); },
        waiting(until));
    if (found.tier != tier::loader) return *found;
    // What counts is what is kept.
    if (const auto kept = in_.get<std::string>(key, waiting(until))) return *kept;
  }
  throw error(errc::unavailable, "the cache does not keep what a session needs");
}

std::optional<sessions::known> sessions::find(std::string_view id, const deadline& until,
                                              bool counts_as_use) {
  if (!detail::is_token(id)) return std::nullopt;
  auto name = detail::session_name(id);
  auto life = in_.get<session_life>(detail::life_key(name), waiting(until));
  if (!life) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      life->expires - params_.clock->wall_now());
  if (left < 1ms) return std::nullopt;
  const auto generation = in_.get<std::string>(
      detail::generation_key(life->user, detail::period_of(life->created)), waiting(until));
  if (!generation || *generation != life->generation) return std::nullopt;
  const auto use = in_.get<bool>(detail::use_key(name), waiting(until));
  if (!use) return std::nullopt;
  if (counts_as_use && detail::is_touch_due(use.age, params_.idle, params_.touch_after)) {
    in_.set(detail::use_key(name), true, policy_for(std::min(params_.idle, left)), waiting(until));
  }
  return known{std::move(name), std::move(life->user), std::move(life->generation),
               life->created,   life->expires,         left};
}

bool sessions::touch(std::string_view id, const call_options& options) {
  return find(id, deadline::after(options.timeout), true).has_value();
}

std::optional<std::string> sessions::rotate(std::string_view id, std::string_view user,
                                            const call_options& options) {
  check_user(user);
  const auto until = deadline::after(options.timeout);
  const auto old = find(id, until, false);
  if (!old) return std::nullopt;
  const auto data = in_.get<std::string>(data_key(old->name), waiting(until));
  if (!data) return std::nullopt;

  draft made{*old, detail::random_token()};
  made.name = detail::session_name(made.id);
  if (user != old->user) {
    made.user = user;
    made.generation = generation_of(user, made.created, until);
  }
  in_.set(data_key(made.name), *data, policy_for(made.left), waiting(until));
  establish(made, until);
  // Nobody knows the new id yet: when this fails there is no session at all.
  destroy(id, waiting(until));
  return made.id;
}

void sessions::destroy(std::string_view id, const call_options& options) {
  if (!detail::is_token(id)) return;
  const auto until = deadline::after(options.timeout);
  const auto name = detail::session_name(id);
  // First: without it the others are worth nothing.
  in_.erase(detail::life_key(name), waiting(until));
  in_.erase(detail::use_key(name), waiting(until));
  in_.erase(data_key(name), waiting(until));
}

void sessions::destroy_all(std::string_view user, const call_options& options) {
  const auto until = deadline::after(options.timeout);
  const auto now = detail::period_of(params_.clock->wall_now());
  // Of sessions that began before this period; in it; and by a clock that is ahead of this one.
  for (const auto period : {now, now - 1, now + 1}) {
    in_.erase(detail::generation_key(user, period), waiting(until));
  }
}

}  // namespace scalekit::cache

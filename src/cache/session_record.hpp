#pragma once

#include "scalekit/cache/codec.hpp"
#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What sessions keep in a store, and under which keys; without I/O.
//
// A session is three entries: its life, which is written once and ends with lifetime or destroy();
// its mark of use, which is written again and again and ends when it is idle; and its data. It is
// over as soon as one of them is missing, so that no order in which they are written brings it
// back.
//
// Its life names the generation of its user, which is an entry of its own: destroy_all() erases
// that, and with it ends all sessions that name it, however many there are and whether anybody
// remembers them. An entry is never written again, or an old generation could come back: each
// period has its own, which outlives all sessions that begin in the period.

namespace scalekit::cache::detail {

/// No session lives longer.
inline constexpr std::chrono::milliseconds longest_session = std::chrono::days(90);
/// Of a generation: until the sessions have ended that began at the end of its period.
inline constexpr std::chrono::milliseconds generation_ttl = 2 * longest_session;

struct session_life {
  std::string generation;
  wall_time created;
  wall_time expires;
  std::string user;
};

/// 128 bits of the system's entropy as 22 characters. Throws std::system_error where there is none.
std::string random_token();
/// As random_token() makes them.
bool is_token(std::string_view text);

/// How the keys of a session call it: nothing that can be made an id of.
std::string session_name(std::string_view id);

std::string life_key(const std::string& name);
std::string use_key(const std::string& name);
/// Of a session of `user` that begins at `at`.
std::string generation_key(std::string_view user, std::int64_t period);
std::int64_t period_of(wall_time at) noexcept;

/// Whether to write that a session is used, whose mark of use is `age` old.
bool is_touch_due(std::chrono::milliseconds age, std::chrono::milliseconds idle,
                  double touch_after) noexcept;

}  // namespace scalekit::cache::detail

template <>
struct scalekit::cache::codec<scalekit::cache::detail::session_life> {
  static void encode(const detail::session_life& life, std::string& out);
  static std::optional<detail::session_life> decode(std::string_view bytes);
};

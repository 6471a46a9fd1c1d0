#include "cache/session_record.hpp"

#include "core/base64url.hpp"
#include "core/sha256.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <sys/random.h>
#include <system_error>

namespace scalekit::cache::detail {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t token_characters = 22;

/// Entries of other versions are none.
constexpr char version = '1';

std::string digest_of(std::string_view text) {
  scalekit::detail::sha256 hash;
  hash.update(text);
  const auto digest = hash.finish();
  return scalekit::detail::to_base64url(
      {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string random_token() {
  std::array<char, id_bytes> bytes{};
  // So few bytes come at once or not at all.
  while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return scalekit::detail::to_base64url({bytes.data(), bytes.size()});
}

bool is_token(std::string_view text) {
  return text.size() == token_characters && scalekit::detail::from_base64url(text).has_value();
}

std::string session_name(std::string_view id) {
  return digest_of(id);
}

std::string life_key(const std::string& name) {
  return "session:life:" + name;
}

std::string use_key(const std::string& name) {
  return "session:use:" + name;
}

std::string generation_key(std::string_view user, std::int64_t period) {
  return "session:user:" + digest_of(user) + ":" + std::to_string(period);
}

std::int64_t period_of(wall_time at) noexcept {
  return to_micros(at) / std::chrono::microseconds(longest_session).count();
}

bool is_touch_due(std::chrono::milliseconds age, std::chrono::milliseconds idle,
                  double touch_after) noexcept {
  return static_cast<double>(age.count()) >= static_cast<double>(idle.count()) * touch_after;
}

}  // namespace scalekit::cache::detail

namespace scalekit::cache {

using detail::session_life;

void codec<session_life>::encode(const session_life& life, std::string& out) {
  out += detail::version;
  codec<std::int64_t>::encode(to_micros(life.created), out);
  codec<std::int64_t>::encode(to_micros(life.expires), out);
  out += life.generation;
  out += life.user;
}

std::optional<session_life> codec<session_life>::decode(std::string_view bytes) {
  constexpr std::size_t number = sizeof(std::int64_t);
  constexpr std::size_t head = 1 + 2 * number + detail::token_characters;
  if (bytes.size() < head || bytes[0] != detail::version) return std::nullopt;
  const auto created = codec<std::int64_t>::decode(bytes.substr(1, number));
  const auto expires = codec<std::int64_t>::decode(bytes.substr(1 + number, number));
  const auto generation = bytes.substr(1 + 2 * number, detail::token_characters);
  if (!detail::is_token(generation) || *expires < *created) return std::nullopt;
  return session_life{std::string(generation), from_micros(*created), from_micros(*expires),
                      std::string(bytes.substr(head))};
}

}  // namespace scalekit::cache

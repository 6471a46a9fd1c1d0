#include "cache/memcached_connection.hpp"

#include "scalekit/core/error.hpp"

#include <libmemcached/memcached.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <utility>

namespace scalekit::cache::detail {
namespace {

using std::chrono::milliseconds;

/// In whole seconds, never less than `ttl`: the server's own clock ticks in seconds. Beyond 30 days
/// the protocol would take it for a date. 0: never.
std::time_t expiration_of(milliseconds ttl) noexcept {
  constexpr std::time_t most = 30 * 24 * 3600;
  if (ttl.count() == 0) return 0;
  return std::min<std::time_t>(std::chrono::ceil<std::chrono::seconds>(ttl).count() + 1, most);
}

/// Nothing was sent.
bool was_not_reached(memcached_return_t code) noexcept {
  return code == MEMCACHED_CONNECTION_FAILURE || code == MEMCACHED_HOST_LOOKUP_FAILURE ||
         code == MEMCACHED_SERVER_MARKED_DEAD || code == MEMCACHED_SERVER_TEMPORARILY_DISABLED ||
         code == MEMCACHED_NO_SERVERS;
}

errc meaning_of(memcached_return_t code, bool is_change) noexcept {
  if (was_not_reached(code)) return errc::unavailable;
  switch (code) {
    case MEMCACHED_E2BIG:
      return errc::too_large;
    case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
    case MEMCACHED_MEMORY_ALLOCATION_FAILURE:
      return errc::disk_full;
    case MEMCACHED_SERVER_ERROR:
    case MEMCACHED_CLIENT_ERROR:
    case MEMCACHED_ERROR:
    case MEMCACHED_BAD_KEY_PROVIDED:
      return errc::backend_error;
    case MEMCACHED_TIMEOUT:
      return is_change ? errc::commit_in_doubt : errc::execution_timeout;
    default:
      return is_change ? errc::commit_in_doubt : errc::connection_lost;
  }
}

}  // namespace

void memcached_connection::deleter::operator()(memcached_st* m) const noexcept {
  memcached_free(m);
}

memcached_connection::memcached_connection(const std::vector<memcached_host>& hosts,
                                           std::string server)
    : server_(std::move(server)), client_(memcached_create(nullptr)) {
  if (!client_) throw std::bad_alloc();
  auto set = [&](memcached_behavior_t what, std::uint64_t value) {
    memcached_behavior_set(client_.get(), what, value);
  };
  set(MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
  set(MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
  set(MEMCACHED_BEHAVIOR_NO_BLOCK, 1);
  set(MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
  set(MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0);
  set(MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 1);
  for (const auto& host : hosts) {
    if (memcached_server_add(client_.get(), host.name.c_str(), host.port) != MEMCACHED_SUCCESS) {
      throw std::bad_alloc();
    }
  }
}

void memcached_connection::begin(const deadline& until) {
  until_ = until.when();
  set_timeouts();
}

std::size_t memcached_connection::remaining_ms() {
  const auto left = std::chrono::ceil<milliseconds>(deadline::at(until_).remaining());
  if (left.count() <= 0) {
    throw error(errc::acquire_timeout, "no time was left to ask memcached " + server_);
  }
  return static_cast<std::size_t>(left.count());
}

void memcached_connection::set_timeouts() {
  const auto ms = remaining_ms();
  auto set = [&](memcached_behavior_t what, std::uint64_t value) {
    memcached_behavior_set(client_.get(), what, value);
  };
  set(MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, ms);
  set(MEMCACHED_BEHAVIOR_POLL_TIMEOUT, ms);
  set(MEMCACHED_BEHAVIOR_SND_TIMEOUT, ms * 1000);
  set(MEMCACHED_BEHAVIOR_RCV_TIMEOUT, ms * 1000);
}

void memcached_connection::fail(int number, bool is_change) {
  const auto code = static_cast<memcached_return_t>(number);
  const auto means = meaning_of(code, is_change);
  const bool was_answered =
      means == errc::too_large || means == errc::disk_full || means == errc::backend_error;
  if (!was_answered && !was_not_reached(code)) is_sound_ = false;
  diagnostics diag{
      "memcached failed: " + std::string(memcached_strerror(client_.get(), code)), {}, {}, server_};
  throw error(make_error_code(means), std::move(diag));
}

memcached_connection::items memcached_connection::get(std::string_view group,
                                                      const std::vector<std::string>& names) {
  set_timeouts();
  std::vector<const char*> keys;
  std::vector<std::size_t> sizes;
  for (const auto& name : names) {
    keys.push_back(name.data());
    sizes.push_back(name.size());
  }
  const auto asked = memcached_mget_by_key(client_.get(), group.data(), group.size(), keys.data(),
                                           sizes.data(), names.size());
  if (asked != MEMCACHED_SUCCESS) fail(asked, false);
  items found(names.size());
  memcached_return_t code = MEMCACHED_SUCCESS;
  // An answer that is not read to its end would be taken for that of the next question.
  is_sound_ = false;
  // Not one of the library's own making: that it frees at the end.
  memcached_result_st room;
  memcached_result_create(client_.get(), &room);
  const std::unique_ptr<memcached_result_st, decltype(&memcached_result_free)> result(
      &room, &memcached_result_free);
  // One host answers in the order of the question, and leaves out what it does not have.
  for (std::size_t i = 0; memcached_fetch_result(client_.get(), result.get(), &code); ++i) {
    const std::string_view name(memcached_result_key_value(result.get()),
                                memcached_result_key_length(result.get()));
    while (i < names.size() && names[i] != name) ++i;
    if (i == names.size()) fail(MEMCACHED_PROTOCOL_ERROR, false);
    found[i].emplace(
        std::string(memcached_result_value(result.get()), memcached_result_length(result.get())),
        memcached_result_cas(result.get()));
  }
  is_sound_ = true;
  if (code != MEMCACHED_END && code != MEMCACHED_NOTFOUND && code != MEMCACHED_SUCCESS) {
    fail(code, false);
  }
  return found;
}

bool memcached_connection::add(std::string_view group, std::string_view name,
                               std::string_view bytes, milliseconds ttl) {
  set_timeouts();
  const auto code =
      memcached_add_by_key(client_.get(), group.data(), group.size(), name.data(), name.size(),
                           bytes.data(), bytes.size(), expiration_of(ttl), 0);
  if (code == MEMCACHED_NOTSTORED || code == MEMCACHED_DATA_EXISTS) return false;
  if (code != MEMCACHED_SUCCESS) fail(code, true);
  return true;
}

bool memcached_connection::replace(std::string_view group, std::string_view name,
                                   std::string_view bytes, milliseconds ttl, std::uint64_t cas) {
  set_timeouts();
  const auto code =
      memcached_cas_by_key(client_.get(), group.data(), group.size(), name.data(), name.size(),
                           bytes.data(), bytes.size(), expiration_of(ttl), 0, cas);
  if (code == MEMCACHED_DATA_EXISTS || code == MEMCACHED_NOTFOUND || code == MEMCACHED_NOTSTORED) {
    return false;
  }
  if (code != MEMCACHED_SUCCESS) fail(code, true);
  return true;
}

void memcached_connection::set(std::string_view group, std::string_view name,
                               std::string_view bytes, milliseconds ttl) {
  set_timeouts();
  const auto code =
      memcached_set_by_key(client_.get(), group.data(), group.size(), name.data(), name.size(),
                           bytes.data(), bytes.size(), expiration_of(ttl), 0);
  if (code != MEMCACHED_SUCCESS) fail(code, true);
}

void memcached_connection::remove(std::string_view name) {
  set_timeouts();
  const auto code = memcached_delete(client_.get(), name.data(), name.size(), 0);
  if (code != MEMCACHED_SUCCESS && code != MEMCACHED_NOTFOUND) fail(code, true);
}

std::uint32_t memcached_connection::host_of(std::string_view name) {
  return memcached_generate_hash(client_.get(), name.data(), name.size());
}

}  // namespace scalekit::cache::detail

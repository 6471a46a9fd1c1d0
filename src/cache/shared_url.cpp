#include "cache/shared_url.hpp"

#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"

#ifdef SCALEKIT_CACHE_WITH_MEMCACHED
#include "cache/memcached_driver.hpp"
#endif
#ifdef SCALEKIT_CACHE_WITH_REDIS
#include "cache/redis_driver.hpp"
#include "cache/redis_ear.hpp"
#endif

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::cache::detail {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument(
      "store_params.shared " + why +
      "; legal: redis://, rediss:// or redis+unix:// and what redis::client::open() takes, "
      "memcached://host[:port][,host[:port]...], file:///directory, or auto: and several of these");
}

[[maybe_unused, noreturn]] void refuse_option(const std::string& kind, const std::string& option) {
  throw std::invalid_argument("store_params.shared is a URL of " + kind +
                              "; this library was built without it: build with -D" + option +
                              "=ON");
}

bool has_scheme(const std::string& url, std::string_view scheme) {
  return url.starts_with(scheme) && url.substr(scheme.size(), 3) == "://";
}

/// redis, rediss, redis+unix and whatever other form the client knows.
bool is_redis(const std::string& url) {
  const auto scheme = url.substr(0, url.find("://"));
  return scheme == "redis" || scheme == "rediss" || scheme.starts_with("redis+") ||
         scheme.starts_with("rediss+");
}

/// One server at a time: not a cluster, where each node tells of its own keys.
[[maybe_unused]] bool is_redis_server(const std::string& url) {
  return is_redis(url) && !url.substr(0, url.find("://")).ends_with("cluster");
}

std::unique_ptr<shared_driver> open_redis([[maybe_unused]] const store_params& params) {
#ifdef SCALEKIT_CACHE_WITH_REDIS
  constexpr std::size_t header_room = std::size_t{1} << 20;
  redis::client_params client;
  client.log = params.log;
  client.max_request_bytes = std::clamp<std::size_t>(
      params.max_value_bytes + header_room, client.max_request_bytes, std::size_t{512} << 20);
  client.max_reply_bytes = std::max(client.max_reply_bytes, params.max_value_bytes + header_room);
  client.max_backlog_bytes = std::max(client.max_backlog_bytes, client.max_request_bytes);
  return std::make_unique<redis_driver>(
      redis::client::open(params.shared, std::move(client), params.execution),
      params.shared_namespace);
#else
  refuse_option("a Redis server", "SCALEKIT_WITH_REDIS");
#endif
}

std::unique_ptr<shared_driver> open_memcached([[maybe_unused]] const store_params& params) {
#ifdef SCALEKIT_CACHE_WITH_MEMCACHED
  return open_memcached_driver(params);
#else
  refuse_option("memcached", "SCALEKIT_WITH_MEMCACHED");
#endif
}

std::string directory_of(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(boost::urls::string_view(url.data(), url.size()));
  if (parsed.has_error() || !parsed->encoded_host().empty() || parsed->has_query() ||
      parsed->has_fragment()) {
    refuse("is no file:///directory");
  }
  std::string path = parsed->path();
  if (path.size() < 2 || path.find('\0') != path.npos) refuse("names no directory");
  return path;
}

constexpr std::string_view auto_scheme = "auto:";

/// What is named behind `auto:`, in its order.
std::vector<std::string> candidates_of(const std::string& shared) {
  std::istringstream text(shared.substr(auto_scheme.size()));
  std::vector<std::string> urls{std::istream_iterator<std::string>(text), {}};
  if (urls.empty()) refuse("names nothing behind auto:");
  return urls;
}

/// Why the server of `params` cannot be used now; nothing where it can.
std::optional<error> fault_of(const store_params& params, std::string& name) {
  const auto driver = open_driver(params);
  name = driver->name();
  try {
    driver->run({.verb = shared_verb::find, .keys = {"scalekit"}},
                deadline::after(params.shared_timeout));
  } catch (...) {
    return to_error(std::current_exception());
  }
  return std::nullopt;
}

}  // namespace

void choose_shared(store_params& params) {
  if (!params.shared.starts_with(auto_scheme)) return;
  if (!params.shared_journal.empty())
    refuse("is auto: beside a shared_journal, which is of one server");
  io_thread_mark::check_blocking_allowed("cache::store::open with shared = auto:");
  const auto choose = [&](const std::string& url, const std::string& name) {
    params.log(log_level::info, "cache.auto.chosen", "the cache uses the first that works",
               {{"chosen", name}});
    params.shared = url;
  };
  const auto candidates = candidates_of(params.shared);
  for (const auto& url : candidates) {
    if (has_scheme(url, "file")) {
      params.fallback.directory.clear();
      return choose(url, directory_of(url));
    }
    auto trial = params;
    trial.shared = url;
    std::string name;
    const auto fault = fault_of(trial, name);
    if (!fault) return choose(url, name);
    params.log(log_level::warning, "cache.auto.passed_over", "a server for the cache does not work",
               {{"server.address", name}, {"why", fault->what()}});
  }
  if (params.memory.max_bytes == 0) {
    throw error(errc::unavailable, "none of the servers that store_params.shared names works");
  }
  params.fallback.directory.clear();
  choose({}, "memory alone");
}

void use_directory_of_url(store_params& params) {
  if (!has_scheme(params.shared, "file")) return;
  if (!params.file.directory.empty()) refuse("is given beside file.directory");
  params.file.directory = directory_of(params.shared);
  params.shared.clear();
}

std::unique_ptr<shared_driver> open_driver(const store_params& params) {
  if (is_redis(params.shared)) return open_redis(params);
  if (has_scheme(params.shared, "memcached")) return open_memcached(params);
  refuse("has another scheme");
}

std::unique_ptr<change_ear> open_ear([[maybe_unused]] const store_params& params,
                                     [[maybe_unused]] change_ear::listener to) {
#ifdef SCALEKIT_CACHE_WITH_REDIS
  if (is_redis_server(params.shared)) return std::make_unique<redis_ear>(params, std::move(to));
#endif
  return nullptr;
}

}  // namespace scalekit::cache::detail

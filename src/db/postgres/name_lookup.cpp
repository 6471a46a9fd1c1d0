#include "db/postgres/name_lookup.hpp"

#include <arpa/inet.h>
#include <array>
#include <condition_variable>
#include <exception>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <thread>

namespace scalekit::db::postgres {
namespace {

struct addresses_deleter {
  void operator()(addrinfo* all) const noexcept { ::freeaddrinfo(all); }
};

found_addresses resolve(const std::string& name) noexcept {
  found_addresses out;
  try {
    // As libpq asks.
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    out.why_none = ::getaddrinfo(name.c_str(), nullptr, &hints, &raw);
    const std::unique_ptr<addrinfo, addresses_deleter> all(out.why_none == 0 ? raw : nullptr);
    for (const auto* each = all.get(); each != nullptr; each = each->ai_next) {
      std::array<char, NI_MAXHOST> text{};
      const int failed = ::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(),
                                       nullptr, 0, NI_NUMERICHOST);
      if (failed == 0) out.addresses.emplace_back(text.data());
    }
    if (out.why_none == 0 && out.addresses.empty()) out.why_none = EAI_NONAME;
  } catch (const std::exception&) {
    out = {.addresses = {}, .why_none = EAI_MEMORY};
  }
  return out;
}

}  // namespace

struct name_lookup::question {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<found_addresses> answer;

  bool is_open() {
    const std::lock_guard lock(mutex);
    return !answer;
  }
};

bool name_lookup::is_name(const std::string& host) {
  // Of libpq '@' begins the path of an abstract socket.
  if (host.empty() || host.front() == '/' || host.front() == '@') return false;
  in6_addr number;
  return ::inet_pton(AF_INET, host.c_str(), &number) != 1 &&
         ::inet_pton(AF_INET6, host.c_str(), &number) != 1;
}

std::shared_ptr<name_lookup::question> name_lookup::ask() {
  const std::lock_guard lock(mutex_);
  if (asked_ && asked_->is_open()) return asked_;
  auto fresh = std::make_shared<question>();
  std::thread thread([fresh, name = name_] {
    auto answer = resolve(name);
    {
      const std::lock_guard inner(fresh->mutex);
      fresh->answer = std::move(answer);
    }
    fresh->answered.notify_all();
  });
  pthread_setname_np(thread.native_handle(), "sk-db-resolve");
  thread.detach();
  return asked_ = fresh;
}

std::optional<found_addresses> name_lookup::find(time_point until, const std::stop_token& stop) {
  const auto asked = ask();
  std::unique_lock lock(asked->mutex);
  asked->answered.wait_until(lock, stop, until, [&] { return asked->answer.has_value(); });
  return asked->answer;
}

}  // namespace scalekit::db::postgres

#include "scalekit/db/listener.hpp"

#include "core/leave_to_parent.hpp"
#include "core/require.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/fork_guard.hpp"
#ifdef SCALEKIT_WITH_POSTGRES
#include "db/postgres/listen_loop.hpp"
#endif

#include <atomic>
#include <chrono>
#include <mutex>
#include <pthread.h>
#include <string>
#include <thread>
#include <utility>

namespace scalekit::db {

#ifdef SCALEKIT_WITH_POSTGRES

namespace {

void validate(const listener_params& params) {
  using scalekit::detail::require;
  using namespace std::chrono_literals;
  require(!params.channels.empty(), "listener_params.channels", "empty", "at least one name");
  for (const auto& name : params.channels) {
    require(!name.empty() && name.find('\0') == std::string::npos,
            "a name in listener_params.channels", name.empty() ? "empty" : "one with a NUL",
            "1 byte or more, and no NUL");
  }
  require(bool(params.on_notification), "listener_params.on_notification", "empty", "a function");
  scalekit::validate(params.reconnect, "listener_params.reconnect");
  scalekit::detail::require_range("listener_params.check_interval", params.check_interval, 100ms,
                                  1h);
}

}  // namespace

struct listener::impl {
  impl(postgres::settings s, listener_params params) : loop(std::move(s), std::move(params)) {}

  const fork_guard guard;
  postgres::listen_loop loop;
  std::thread thread;
  std::atomic<std::thread::id> its_id{};
  std::mutex closing;
};

listener::listener(std::string_view url, listener_params params) {
  if (!postgres::is_postgres_url(url)) {
    throw error(errc::not_supported, "db::listener: only PostgreSQL has notifications");
  }
  validate(params);
  auto settings = postgres::settings_from_url(url, {.credentials = params.credentials});
  if (settings.params.transaction_pooler == true) {
    throw error(errc::not_supported,
                "db::listener: a transaction pooler passes on no notifications; give it the "
                "server's own address");
  }
  impl_ = std::make_shared<impl>(std::move(settings), std::move(params));
  // It keeps what it runs on: the listener may be destroyed in one of its callbacks.
  impl_->thread = std::thread([self = impl_] {
    self->its_id = std::this_thread::get_id();
    self->loop.run();
  });
  pthread_setname_np(impl_->thread.native_handle(), "sk-db-listen");
}

listener::~listener() {
  close();
  if (impl_->guard.is_forked()) {
    scalekit::detail::leave_to_parent(impl_);
    return;
  }
  if (impl_->thread.joinable()) impl_->thread.detach();
}

void listener::close() noexcept {
  if (impl_->guard.is_forked()) return;
  impl_->loop.stop();
  if (impl_->its_id.load() == std::this_thread::get_id()) return;
  std::lock_guard one_at_a_time(impl_->closing);
  if (impl_->thread.joinable()) impl_->thread.join();
}

bool listener::is_listening() const noexcept {
  return impl_->loop.is_listening();
}

#else

struct listener::impl {};

listener::listener(std::string_view, listener_params) {
  throw error(errc::not_supported, "db::listener: built without PostgreSQL, which alone has it");
}
listener::~listener() = default;
void listener::close() noexcept {}
bool listener::is_listening() const noexcept {
  return false;
}

#endif

}  // namespace scalekit::db

#pragma once

#include "db/postgres/pq.hpp"
#include "db/postgres/settings.hpp"
#include "db/postgres/wake_descriptor.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/db/listener.hpp"

#include <atomic>
#include <cstddef>
#include <stop_token>
#include <string>

namespace scalekit::db::postgres {

/// What a listener does on its thread: connects, listens, and begins anew.
class listen_loop {
 public:
  listen_loop(settings s, listener_params params);

  /// Returns after stop().
  void run();
  /// From any thread.
  void stop() noexcept;
  bool is_listening() const noexcept { return listening_.load(std::memory_order_relaxed); }

 private:
  /// One connection, from its dial to its end; false when it never listened.
  bool session();
  /// Sends a statement and waits for its end. Throws where that fails.
  void ask(PGconn* conn, const std::string& text);
  void listen(PGconn* conn);
  void deliver(PGconn* conn);
  template <class Callback>
  void guarded(Callback callback) noexcept;
  bool is_stopping() const noexcept { return stopping_.stop_requested(); }

  const settings settings_;
  const listener_params params_;
  std::stop_source stopping_;
  const wake_descriptor bell_;
  random_generator random_;
  std::atomic<bool> listening_{false};
  std::size_t host_ = 0;
};

}  // namespace scalekit::db::postgres

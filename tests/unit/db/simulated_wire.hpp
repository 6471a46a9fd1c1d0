#pragma once

// Statements on their way to simulated servers, and what comes back of them.

#include "simulated_watch.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace test {

enum class answer { done, read_only, lost };

struct simulated_statement {
  host_id host = 0;
  /// Of the server at the other end of the connection.
  unsigned incarnation = 0;
  /// At the server; null for a write.
  std::function<void()> reads;
  /// At the client. Never, where nothing comes back.
  std::function<void(answer, const std::optional<true_write>&)> answered;
};

class simulated_wire : public simulated_watch {
 protected:
  using simulated_watch::simulated_watch;
  using statement_ptr = std::shared_ptr<simulated_statement>;

  /// It arrives, however late and whoever still waits for it, unless the server has died since.
  void deliver(const statement_ptr& s, nanoseconds pause = 0ns) {
    time_.in(pause + some_time(), [this, s] {
      auto& at = cluster_.hosts()[s->host];
      if (at.incarnation != s->incarnation) return reply(s, answer::lost);
      if (!at.answers()) return deliver(s, resend);
      if (s->reads) {
        s->reads();
        return reply(s, answer::done);
      }
      if (at.in_recovery) return reply(s, answer::read_only);
      at.position += 5;
      confirm(s, {at.fork, at.timeline, at.position, time_.now});
    });
  }

 private:
  /// The server answers a write when enough standbys have it.
  void confirm(const statement_ptr& s, const true_write& write) {
    const auto& at = cluster_.hosts()[s->host];
    if (at.incarnation != s->incarnation) return reply(s, answer::lost);
    if (at.runs() && cluster_.is_confirmed(write)) return reply(s, answer::done, write);
    if (time_.now < write.when + 10s) time_.in(20ms, [this, s, write] { confirm(s, write); });
  }

  void reply(const statement_ptr& s, answer what, const std::optional<true_write>& write = {},
             nanoseconds pause = 0ns) {
    time_.in(pause + some_time(), [this, s, what, write] {
      const auto& at = cluster_.hosts()[s->host];
      if (!at.is_reachable) return reply(s, what, write, resend);
      const bool is_gone = at.incarnation != s->incarnation;
      s->answered(is_gone ? answer::lost : what, write);
    });
  }
};

}  // namespace test

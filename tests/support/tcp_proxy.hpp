#pragma once

#include "support/reserved_port.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace support {

/// What happens to the bytes of one direction. The default passes them on at once.
struct flow_faults {
  /// Bytes are read and dropped, and an end of file with them: a half-open connection.
  bool swallow = false;
  /// Each byte arrives this much later.
  std::chrono::microseconds delay{0};
  /// No write is larger; 0 is no limit. 1 with a `bytes_per_second` of some thousands makes the
  /// receiver see single bytes.
  std::size_t max_chunk = 0;
  /// 0 is no limit.
  std::size_t bytes_per_second = 0;
  /// After so many bytes of a connection, from now on, both its ends are cut.
  std::optional<std::size_t> cut_after{};
};

enum class cut_kind {
  reset,  ///< RST: the peer sees ECONNRESET
  finish  ///< FIN: the peer sees an end of file
};

enum class accept_mode {
  normal,
  hang,   ///< connections are made by the kernel, nobody answers on them
  refuse  ///< nobody listens: ECONNREFUSED
};

/// A TCP proxy on a port of 127.0.0.1 in front of another, with faults that can be switched at run
/// time. One thread of its own. Thread-safe; each member returns when its effect is in force.
class tcp_proxy {
 public:
  explicit tcp_proxy(std::uint16_t target_port);
  /// Resets every connection.
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  std::uint16_t port() const noexcept { return port_.number(); }

  void set_accepting(accept_mode mode);
  /// For connections there are and those to come.
  void set_to_server(flow_faults faults);
  void set_to_client(flow_faults faults);
  /// No fault any more. What was swallowed stays lost.
  void heal();
  void cut_all(cut_kind kind = cut_kind::reset);
  /// At once: on no connection does anything come behind what was swallowed.
  void cut_all_and_heal();
  /// New connections go there.
  void set_target(std::uint16_t port);

  /// Open ones.
  std::size_t connections() const;
  /// Since the beginning.
  std::size_t accepted() const;

 private:
  class connection;

  void in_loop(std::function<void()> task) const;
  void loop();
  void run_tasks();
  void listen();
  void accept_all();

  reserved_port port_;

  // Of the loop alone.
  std::uint16_t target_;
  flow_faults to_server_;
  flow_faults to_client_;
  int listener_ = -1;
  bool accepting_ = true;
  bool stopping_ = false;
  std::size_t accepted_ = 0;
  std::vector<std::unique_ptr<connection>> connections_;

  int wake_ = -1;
  mutable std::mutex mutex_;
  mutable std::condition_variable finished_;
  mutable std::vector<std::function<void()>> tasks_;
  mutable std::size_t tasks_given_ = 0;
  mutable std::size_t tasks_done_ = 0;
  std::thread thread_;
};

}  // namespace support

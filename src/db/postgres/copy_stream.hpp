#pragma once

#include "db/postgres/connection.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/exchange.hpp"
#include "scalekit/core/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

namespace scalekit::db::postgres {

/// One COPY on a connection that is outside its pipeline, on the calling thread.
///
/// What it calls interrupted has left the connection broken, and why in interrupted(). Throws for a
/// connection that is lost.
class copy_stream {
 public:
  copy_stream(connection& c, PGconn* conn, const std::source_location& site, time_point until)
      : c_(c), conn_(conn), site_(site), until_(until) {}

  /// Sends the statement; true once rows can flow in the direction that is `expected`. False when
  /// it was interrupted, or is nothing like it: see throw_if_failed().
  bool begin(const std::string& text, ExecStatusType expected);

  /// Waits until most of it was sent: 64 KiB and `data` are in memory at most, and of that a MiB
  /// twice. False when it was interrupted.
  bool put(std::string_view data);
  /// Ends what is put in. `why` not null: it is to fail, with this reason. False when it was
  /// interrupted.
  bool end(const char* why);

  /// The next piece of what comes out, valid until the next call; empty at the end, and when it was
  /// interrupted.
  std::string_view get();

  /// Gives up what is under way: the connection is broken.
  void abandon();

  void throw_if_failed() const;
  /// Rows, as the server counted them. At the end.
  std::uint64_t copied() const noexcept { return copied_; }
  wait_end interrupted() const noexcept { return why_; }

 private:
  bool goes_on();
  bool wait(bool writing);
  bool flush();
  result_ptr take_result();
  bool finish();
  void fail(result_ptr answer);

  struct piece_deleter {
    void operator()(char* piece) const noexcept { PQfreemem(piece); }
  };

  connection& c_;
  PGconn* conn_;
  const std::source_location& site_;
  time_point until_;
  wait_end why_ = wait_end::ready;
  exchange failed_;
  std::unique_ptr<char, piece_deleter> piece_;
  std::uint64_t copied_ = 0;
  std::size_t unsent_ = 0;
  time_point next_look_ = {};
};

}  // namespace scalekit::db::postgres

#pragma once

#include "db/postgres/exchange.hpp"
#include "db/postgres/pq.hpp"
#include "db/postgres/pq_cancel.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace scalekit::db::postgres {

/// One connection in libpq's pipeline mode, and what is under way on it. Sends and reads, but never
/// waits: who drives it waits for its socket.
///
/// What stands between two sync() is one group to the server: outside a transaction it is one
/// implicit transaction, and what follows a failure in it is skipped.
///
/// Thread safety: one thread at a time.
class link {
 public:
  /// `conn` is connected. `origin` names the server in errors. At most `statements` stay prepared;
  /// 0: a statement is only described, and sent with its text, as a transaction pooler needs it.
  link(connection_ptr conn, std::string origin, std::size_t statements);
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  enum class readiness {
    /// send() may be called.
    ready,
    /// Being prepared for another exchange.
    preparing,
    /// prepare() must come first.
    absent,
  };
  readiness of(const exchange& e) const noexcept;

  /// Sends the preparation of its statement, as a group of its own. It comes back as `prepared`, or
  /// `failed`. Makes room for it among those that are not the `keep` most recently used.
  void prepare(const exchange_ptr& e, std::size_t keep = 0);

  /// Makes a statement that is prepared the most recently used.
  void touch(const statement_entry& entry) noexcept;

  /// Encodes its parameters where they are not yet, so that send() does not throw. Precondition:
  /// ready.
  void encode(exchange& e) const;

  /// Sends it. Precondition: ready. Throws what encoding its parameters throws; nothing was sent
  /// then.
  void send(const exchange_ptr& e);

  /// Ends a group. Outside a transaction it commits then: `commits` is the write that is done only
  /// once that has succeeded.
  void sync(const exchange_ptr& commits = nullptr);

  /// Writes what waits to be written. False: the socket takes no more now; wait until it does.
  bool flush();

  /// Reads what has come, and adds what has ended to `ended`, in order. Where the connection
  /// broke, that is everything under way. True: `most` have ended, and there may be more.
  bool read(std::vector<exchange_ptr>& ended, std::size_t most = static_cast<std::size_t>(-1));

  /// Groups whose end has not come yet.
  std::size_t groups_under_way() const noexcept { return groups_; }

  /// A taker of rows wanted no more of what has come: read() goes on with that, and the socket
  /// tells nothing of it.
  bool is_held() const noexcept { return held_; }

  /// Nothing is under way, and the server waits for us.
  bool is_quiet() const noexcept { return steps_.empty(); }
  bool is_broken() const noexcept { return broken_; }
  PGTransactionStatusType transaction_status() const noexcept {
    return PQtransactionStatus(conn_.get());
  }
  int socket() const noexcept { return PQsocket(conn_.get()); }
  const std::string& origin() const noexcept { return origin_; }

  /// The server's own idea of a parameter that it reports; null where it does not.
  const char* parameter_status(const char* name) const noexcept {
    return PQparameterStatus(conn_.get(), name);
  }

  /// The process of the server, as the login has named it.
  int server_process() const noexcept { return PQbackendPID(conn_.get()); }

  /// What cancels the statement that runs. Thread-safe apart from this call.
  cancel_ptr make_cancel() const noexcept { return cancel_of(conn_.get()); }

  /// For what pipeline mode cannot do (COPY, scripts): outside it until the guard dies.
  /// Precondition: quiet.
  class outside_pipeline {
   public:
    explicit outside_pipeline(link& l) noexcept;
    ~outside_pipeline();
    outside_pipeline(const outside_pipeline&) = delete;
    outside_pipeline& operator=(const outside_pipeline&) = delete;
    PGconn* connection() const noexcept { return link_.conn_.get(); }

   private:
    link& link_;
  };

  /// Settles what is under way as lost.
  void break_off(std::string why, std::vector<exchange_ptr>& ended);

  /// By which name the server knows a statement that is prepared; null for one that is not.
  const std::string* name_of(const statement_entry& entry) const noexcept;

  /// Forgets the preparation that `e` was sent as, or whose it was: the statement is prepared anew
  /// when it comes next. Does nothing where that was done already.
  void forget(const exchange& e) noexcept;
  /// Forgets whatever preparation of the statement there is.
  void forget(const statement_entry& entry) noexcept;

 private:
  enum class step_kind : std::uint8_t { parse, describe, run, sync, own };
  struct step {
    step_kind kind;
    bool has_result = false;
    exchange_ptr member;
  };
  struct prepared {
    std::uint64_t number;
    std::string name;
    const description* described = nullptr;
    std::list<std::uint64_t>::iterator place;
    // Keeps `described` alive.
    statement_entry_ptr entry;
  };

  static void on_notice(void* self, const PGresult* r) noexcept;
  void send_own(const exchange_ptr& e);
  void send_with_text(const exchange_ptr& e);
  static void read_as_sent(exchange& e, const PGresult* rows);
  void push(step_kind kind, exchange_ptr member);
  void take(result_ptr result, std::vector<exchange_ptr>& ended);
  void call_unsent() noexcept;
  void end_of_parse(exchange& e, result_ptr result);
  bool is_of_lost_connection(const PGresult* result) noexcept;
  void end_of_describe(const exchange_ptr& e, result_ptr result, std::vector<exchange_ptr>& ended);
  void end_of_run(const exchange_ptr& e, result_ptr result, std::vector<exchange_ptr>& ended);
  void check_sent(int ok);
  bool drop_oldest(std::size_t keep);
  const description* description_of(const statement_entry& entry) const noexcept;

  connection_ptr conn_;
  std::string origin_;
  std::size_t capacity_;
  std::deque<step> steps_;
  std::unordered_map<std::uint64_t, prepared> prepared_;
  // The most recently used first.
  std::list<std::uint64_t> order_;
  // Our own that come often, by where their text stands.
  std::unordered_map<const char*, std::string> own_prepared_;
  // Without preparations: what is to be described anew.
  std::unordered_set<std::uint64_t> outdated_;
  std::uint64_t next_name_ = 1;
  std::size_t groups_ = 0;
  bool broken_ = false, lost_ = false, held_ = false;
  /// With which a pooler has ended it.
  std::string last_word_;
  int empty_results_ = 0;
};

}  // namespace scalekit::db::postgres

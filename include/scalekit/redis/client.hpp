#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/redis/client_params.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/detail/backend.hpp"
#include "scalekit/redis/detail/typed_call.hpp"
#include "scalekit/redis/detail/typed_calls.hpp"
#include "scalekit/redis/from_reply.hpp"
#include "scalekit/redis/options.hpp"
#include "scalekit/redis/script.hpp"
#include "scalekit/redis/statistics.hpp"
#include "scalekit/redis/transaction.hpp"

#include <boost/asio/async_result.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::redis {

/// What a call can be made of.
template <class T>
concept callable =
    std::same_as<T, command> || std::same_as<T, transaction> || std::same_as<T, script_call>;

/// A Redis server: that of an address, or the master of a service that sentinels watch over; or a
/// cluster of them.
///
/// A handle: copies are the same client, which ends with the last of them and with the last
/// unfinished async_ call. One client a server and process is what you want: all its callers share
/// one connection, on which what they ask in one turn of the event loop goes out together, and
/// nobody waits for the answers of others. Nothing connects before the first call.
///
/// Apart from it go: commands that wait in the server, on a connection each; large values, on one
/// of their own; and blocking calls while few threads make them, on connections that the calling
/// threads drive themselves. So calls that were made without waiting for the one before may
/// overtake each other; those of a transaction cannot.
///
/// A caller that is cancelled, or whose time is over, is told so at once. Its answer is thrown away
/// when it comes: no other call gets it.
///
/// What is lost with its connection before it was sent is sent on the next one. What was sent is
/// sent once more if it only reads (or call_options::idempotent), else it is errc::commit_in_doubt.
///
/// In a cluster all this holds for each of its nodes. A call goes to the node that has the slot of
/// its keys, and where that has changed, to the one that has it now; it waits, within its timeout
/// and acquire_timeout, for a failover to be over. MGET, MSET, DEL, UNLINK, EXISTS and TOUCH may
/// have keys in several slots: they then are one command a slot, made at once and not together. All
/// else, a transaction too, is errc::invalid_argument with keys of several slots. What has no key
/// goes to any master.
///
/// By sentinels a call goes to the master that they name and that says itself that it is one.
/// Connections to a former master are given up when a sentinel announces another one, with the
/// same rules; what a server refuses because it has become a replica was not done, and is done by
/// the next master, up to max_attempts times. A service that no sentinel knows is
/// errc::invalid_argument.
///
/// Errors of calls: errc::acquire_timeout and errc::unavailable (no connection), execution_timeout
/// (sent, not answered, and harmless), commit_in_doubt (sent, not answered, and may have changed
/// something), shed, cancelled, closed, connection_lost, too_large, invalid_argument for arguments
/// that are out of range; not_found, column_mismatch and value_out_of_range for replies that do not
/// fit the type. What the server refuses: read_only (READONLY, MISCONF), disk_full (OOM),
/// not_allowed (NOPERM, NOAUTH), unavailable (LOADING, BUSY, MASTERDOWN, CLUSTERDOWN, NOREPLICAS,
/// UNBLOCKED),
/// conflict (TRYAGAIN), constraint_violation (BUSYKEY, BUSYGROUP), not_supported (MOVED, ASK: the
/// server is part of a cluster, and the URL is that of a single one), invalid_argument (WRONGTYPE,
/// CROSSSLOT), invalid_statement (ERR and what else there is); its own first word is
/// diagnostics::backend_code.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT client {
 public:
  /// `redis://[user[:password]@]host[:port][/database][?setting=value]`, or by a unix socket
  /// `redis+unix://[user[:password]@]/path/of/socket[?setting=value]`; percent-encoded where need
  /// be. `rediss://` is the first form by TLS, see tls_params; it needs SCALEKIT_WITH_TLS. A
  /// password alone is written `:password@`. The query may hold any setting of client_params.
  ///
  /// `redis+cluster://[user[:password]@]host[:port][,host[:port]...][?setting=value]` is a cluster,
  /// by some of its nodes, of which one must answer; the others are learned from it. All have the
  /// same passwords. `rediss+cluster://` by TLS.
  ///
  /// `redis+sentinel://[user[:password]@]sentinel[:port],sentinel[:port]...[/database]?service=NAME`
  /// is the master of that service, of whose sentinels at least one has to be named; the port is
  /// 26379 where none is said. User and password are those of the servers. `rediss+sentinel://` is
  /// the same by TLS, to sentinels and servers.
  ///
  /// Throws std::invalid_argument for a URL or a setting that can never work, naming it.
  static client open(std::string_view url, client_params params = {},
                     scalekit::execution exec = {});

  /// Runs a command, a transaction or a script, and returns its reply as a T (from_reply.hpp).
  /// Throws what is listed above; errc::forked in a child process, errc::not_allowed on a thread
  /// marked as an I/O thread.
  ///
  /// Commands that would change what a shared connection is to its other callers (SUBSCRIBE, MULTI,
  /// WATCH, SELECT, AUTH, MONITOR, CLIENT REPLY...) are errc::not_allowed, and WAIT, which would
  /// only hear of writes of its own connection, errc::not_supported.
  template <class T, callable Call>
  T call(Call what, const call_options& options = {}) {
    auto request = detail::to_request(std::move(what));
    auto answer = backend_->run(request, options);
    return detail::convert<T>(std::move(answer), request.name, backend_->name());
  }

  /// The same, completing with T, see core/async.hpp. T is default-constructible. Throws, in the
  /// initiating function, what to_request() throws for commands that are not allowed.
  template <class T, callable Call, class Token>
  auto async_call(Call what, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, T)>(
        [](auto handler, std::shared_ptr<detail::backend> owner, detail::request r,
           call_options o) {
          using handler_type = std::decay_t<decltype(handler)>;
          std::make_shared<detail::typed_call<T, handler_type>>(std::move(r), std::move(handler),
                                                                std::move(owner))
              ->start(o);
        },
        token, backend_, detail::to_request(std::move(what)), std::move(options));
  }
  template <class T, callable Call, class Token>
  auto async_call(Call what, Token&& token) {
    return async_call<T>(std::move(what), {}, std::forward<Token>(token));
  }

  /// Makes many calls at once and waits for all: each to its node of a cluster, each with a result
  /// or an error of its own, in the order of the commands. They are not run together, nor in that
  /// order where they go to different nodes or connections. Throws what call() throws for commands
  /// that are not allowed, before any was made, errc::forked and errc::not_allowed.
  template <class T>
  std::vector<result<T>> call_each(std::vector<command> what, const call_options& options = {}) {
    auto outcomes = detail::run_each(*backend_, detail::to_requests(std::move(what)), options);
    return detail::results_of<T>(std::move(outcomes), backend_->name());
  }

  /// The same, completing with std::vector<result<T>>, and with an exception never.
  template <class T, class Token>
  auto async_call_each(std::vector<command> what, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<result<T>>)>(
        [](auto handler, std::shared_ptr<detail::backend> owner, std::vector<detail::request> r,
           call_options o) {
          detail::start_each<T>(std::move(handler), std::move(owner), std::move(r), o);
        },
        token, backend_, detail::to_requests(std::move(what)), std::move(options));
  }

  /// Takes no more calls, waits until those there are have ended, for `timeout` at most, and
  /// settles the rest with errc::closed. A second call does nothing. Blocks.
  void close(std::chrono::nanoseconds timeout = std::chrono::seconds{5});

  client_statistics statistics() const;

 private:
  explicit client(std::shared_ptr<detail::backend> b) : backend_(std::move(b)) {}

  std::shared_ptr<detail::backend> backend_;
};

}  // namespace scalekit::redis

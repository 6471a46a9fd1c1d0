#pragma once

#include "scalekit/cache/codec.hpp"
#include "scalekit/cache/options.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/session_params.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/async.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/export.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::cache {

/// What a session is.
template <class V>
struct session {
  /// As create() or rotate() was told last.
  std::string user = {};
  V data = {};
  wall_time created = {};
  /// When it is over at the latest.
  wall_time expires = {};
};

/// Sessions of users in a cache: who brings the id, in a cookie, is the one who got it.
///
///     cache::sessions sessions(store);
///     auto id = sessions.create("anna", basket);
///     auto known = sessions.load<std::string>(id);   // known->user, known->data
///
/// An id is 128 bits of the system's entropy as 22 characters of base64url. It stands in no key, no
/// error and no event: the cache knows its SHA-256, so that who can read the cache cannot log in.
///
/// - A session is over once it was not used for params.idle, or after params.lifetime. It is also
///   over when the cache has evicted a part of it: give it room.
/// - Calls of one session at a time: of two save() the one that reaches the store last wins, whole;
///   what says that a session was used never overwrites its data.
/// - A destroyed session never comes back. What makes it one is written once, by create() or
///   rotate(), before anybody knows the id; a save() or touch() that comes late writes only what is
///   worth nothing without it. The same holds for destroy_all(): it wins over what goes on at the
///   same time, and its cost does not grow with the number of sessions.
/// - Of the very first sessions of a user, if two processes begin them in the same instant, one may
///   be over at once.
/// - Two rotate() of one id at once may both succeed; what is saved under the old id meanwhile may
///   be lost.
///
/// What an id is given for is not looked at: anything that is no id is a session that is not there.
///
/// Blocking members throw what the store throws; create() and rotate() also errc::unavailable, when
/// the store does not keep what it is given, and invalid_argument for a user of more than 1024
/// bytes. They may not be called on threads marked as I/O threads. async_ members run them on the
/// work executor, and complete with (std::exception_ptr, T).
///
/// Thread safety: every member may be called from any thread. A copy is the same sessions; what
/// several processes do with one directory of files is seen as session_params::memory_ttl says.
class SCALEKIT_EXPORT sessions {
 public:
  /// Throws std::invalid_argument for settings out of range, naming the field. `in` may be used for
  /// other things: keys begin with "session:".
  explicit sessions(store in, session_params params = {});

  /// Begins a session of `user`, who may be empty: nobody yet. Its id.
  template <class V>
  std::string create(std::string_view user, const V& data, const call_options& options = {}) {
    const auto until = deadline::after(options.timeout);
    const auto made = prepare(user, until);
    in_.set(data_key(made.name), data, policy_for(made.left), waiting(until));
    establish(made, until);
    return made.id;
  }

  /// The session, which counts as used. Nothing: it is over, or never was.
  template <class V>
  std::optional<session<V>> load(std::string_view id, const call_options& options = {}) {
    const auto until = deadline::after(options.timeout);
    auto found = find(id, until, true);
    if (!found) return std::nullopt;
    auto data = in_.get<V>(data_key(found->name), waiting(until));
    if (!data) return std::nullopt;
    return session<V>{std::move(found->user), *std::move(data), found->created, found->expires};
  }

  /// It counts as used. False: it is over.
  bool touch(std::string_view id, const call_options& options = {});

  /// Changes its data, and counts as use. False: it is over.
  template <class V>
  bool save(std::string_view id, const V& data, const call_options& options = {}) {
    const auto until = deadline::after(options.timeout);
    const auto found = find(id, until, true);
    if (!found) return false;
    in_.set(data_key(found->name), data, policy_for(found->left), waiting(until));
    return true;
  }

  /// Gives it another id, and from now on to `user`: to be done whenever somebody logs in, so that
  /// an id that was known before is worth nothing after. Data and lifetime stay. Nothing: it is
  /// over.
  std::optional<std::string> rotate(std::string_view id, std::string_view user,
                                    const call_options& options = {});

  /// Ends it. Once it returns, or throws, nobody finds it.
  void destroy(std::string_view id, const call_options& options = {});

  /// Ends all sessions of that user, also those that others are just creating.
  void destroy_all(std::string_view user, const call_options& options = {});

  /// Completes with std::string.
  template <class V, class Token>
  auto async_create(std::string user, V data, call_options options, Token&& token) {
    return run<std::string>([user = std::move(user), data = std::move(data),
                             options](sessions& self) { return self.create(user, data, options); },
                            std::forward<Token>(token));
  }

  /// Completes with std::optional<session<V>>.
  template <class V, class Token>
  auto async_load(std::string id, call_options options, Token&& token) {
    return run<std::optional<session<V>>>(
        [id = std::move(id), options](sessions& self) { return self.load<V>(id, options); },
        std::forward<Token>(token));
  }

  /// Completes with bool.
  template <class Token>
  auto async_touch(std::string id, call_options options, Token&& token) {
    return run<bool>(
        [id = std::move(id), options](sessions& self) { return self.touch(id, options); },
        std::forward<Token>(token));
  }

  /// Completes with bool.
  template <class V, class Token>
  auto async_save(std::string id, V data, call_options options, Token&& token) {
    return run<bool>([id = std::move(id), data = std::move(data),
                      options](sessions& self) { return self.save(id, data, options); },
                     std::forward<Token>(token));
  }

  /// Completes with std::optional<std::string>.
  template <class Token>
  auto async_rotate(std::string id, std::string user, call_options options, Token&& token) {
    return run<std::optional<std::string>>(
        [id = std::move(id), user = std::move(user), options](sessions& self) {
          return self.rotate(id, user, options);
        },
        std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class Token>
  auto async_destroy(std::string id, call_options options, Token&& token) {
    return run<done>(
        [id = std::move(id), options](sessions& self) {
          self.destroy(id, options);
          return done{};
        },
        std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class Token>
  auto async_destroy_all(std::string user, call_options options, Token&& token) {
    return run<done>(
        [user = std::move(user), options](sessions& self) {
          self.destroy_all(user, options);
          return done{};
        },
        std::forward<Token>(token));
  }

 private:
  /// One that is there.
  struct known {
    /// Of its keys.
    std::string name;
    std::string user;
    /// Of its user, when it was made; see destroy_all().
    std::string generation;
    wall_time created;
    wall_time expires;
    std::chrono::milliseconds left;
  };
  /// One that is being made.
  struct draft : known {
    std::string id;
  };

  static std::string data_key(const std::string& name);
  /// What is left of the time of a call.
  static call_options waiting(const deadline& until);
  policy policy_for(std::chrono::milliseconds ttl) const;
  draft prepare(std::string_view user, const deadline& until);
  void establish(const draft& made, const deadline& until);
  std::string generation_of(std::string_view user, wall_time at, const deadline& until);
  std::optional<known> find(std::string_view id, const deadline& until, bool counts_as_use);

  template <class T, class Body, class Token>
  auto run(Body body, Token&& token) {
    return async_blocking<T>(
        params_.execution,
        [self = *this, body = std::move(body)](std::stop_token) mutable { return body(self); },
        std::forward<Token>(token));
  }

  store in_;
  session_params params_;
};

}  // namespace scalekit::cache

#pragma once

#include "scalekit/cache/codec.hpp"
#include "scalekit/cache/detail/typed_batch.hpp"
#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/cache/options.hpp"
#include "scalekit/cache/owned_loader.hpp"
#include "scalekit/cache/pinned_bytes.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/shared_mode.hpp"
#include "scalekit/cache/statistics.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/async.hpp"
#include "scalekit/core/export.hpp"

#include <boost/asio/async_result.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit::cache {

/// What get_or_load() runs on a miss: `V()` or `std::optional<V>()`, std::nullopt meaning that
/// there is no value; either may take a `const load_context&`.
template <class Loader, class V>
concept loader_of = requires(Loader& loader, const load_context& context) {
  { detail::call_loader(loader, context) } -> std::convertible_to<std::optional<V>>;
};

/// What get_or_load_many() runs for the keys that miss.
template <class Loader, class V>
concept batch_loader_of =
    std::is_invocable_r_v<std::vector<std::optional<V>>, Loader&, std::span<const std::string>> ||
    std::is_invocable_r_v<std::vector<std::optional<V>>, Loader&, const load_context&,
                          std::span<const std::string>>;

/// A cache in two tiers: memory, then files, or a server that several machines share. Either may
/// be off.
///
///     auto store = cache::store::open({.file = {.directory = "/var/cache/shop"}});
///     auto found = store.get_or_load<product>("product:42", cache::ttl::product,
///                                             [&] { return load_product(42); });
///
/// - A lookup asks memory, then the file or the server, then the loader, and fills upwards with the
///   time that is left. set() and erase() change both tiers.
/// - One load a key runs at a time in a process; others wait for it.
/// - Fill fencing: a load is not stored when its key was set or erased after it began. Callers
///   waiting for that load still get its value; no later lookup does. This holds in both tiers,
///   and for the files also against other processes of the directory, for the server against all
///   who use it. The memory tiers of other processes are not told: they serve their copies for up
///   to policy::memory_ttl.
/// - Past its ttl a value may be kept to be served stale while it is loaded anew, or in place of an
///   error: see policy. A set, an erase or a clear takes it away as it does a fresh one.
/// - A set or erase that fails leaves no older value behind, unless the store is closed or an
///   argument was refused (invalid_argument). One that failed for want of time or of a thread, or
///   was cancelled, may take some other keys' files with it.
///
/// Keys are 1 to 65536 bytes of any kind. A failing directory or server never fails a lookup or a
/// set: it is counted, and the store goes on with memory and loaders.
///
/// A server that cannot be reached keeps what it has. erase() and clear() then throw; a set
/// returns. In this process all of them hold: nothing is read from the server again before it was
/// told. Other processes may see the older value there until its ttl ends.
///
/// A handle: copies are the same store, which closes with the last of them and the last unfinished
/// async_ call. Blocking members run on the calling thread; with files or a server they may block
/// and throw errc::not_allowed on a thread marked as an I/O thread, as does get_or_load() always.
/// async_ members complete with (std::exception_ptr, T), see core/async.hpp; a hit in memory
/// completes without leaving the handler's executor.
///
/// Errors of every member: closed, forked, invalid_argument (key), shed (the work pool is full;
/// async_ calls and owned loaders only), cancelled (async_ only); others are named with the member.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT store {
 public:
  /// Throws std::invalid_argument for settings out of range, naming the field, and
  /// scalekit::error (unavailable, read_only, disk_full, io_error) for a directory or a journal
  /// that cannot be used. Throws errc::corrupt when the directory holds something that is not a
  /// cache. With `shared = "auto:..."` it blocks, and throws not_allowed on a loop's thread, and
  /// unavailable where nothing works and memory is off.
  static store open(store_params params = {});

  /// The value kept under `key`, if any; past its ttl only where call_options::allow_stale says so.
  template <class V>
  lookup<V> get(std::string_view key, const call_options& options = {}) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    detail::decoding_port<V> port;
    auto raw = read(key, options, port);
    return port.finish(raw);
  }

  /// Keeps `value` under `key` in both tiers. The older value is gone when it returns or throws.
  ///
  /// Errors: too_large; acquire_timeout, when others were writing the key for the whole timeout;
  /// what the codec throws.
  template <class V>
  void set(std::string_view key, const V& value, const policy& how,
           const call_options& options = {}) {
    if constexpr (std::same_as<V, std::string> || std::same_as<V, pinned_bytes>) {
      write(key, value, how, options);
    } else {
      write(key, encode(key, value), how, options);
    }
  }

  /// Throws what set() would throw of these before it does anything: invalid_argument, not_allowed,
  /// closed, forked.
  void check_set(std::string_view key, const policy& how, const call_options& options = {}) const;

  /// The value kept under `key`, or what `loader` returns, which is then kept. `value` is empty
  /// only where the loader said so, now (freshness::negative from tier::loader) or within the
  /// policy's negative_ttl.
  ///
  /// The loader runs on the calling thread, or not at all when another caller is loading this key:
  /// then this one waits. What a loader throws is thrown to each caller waiting for it; nothing is
  /// kept then. A loader must not ask for its own key: errc::not_allowed.
  ///
  /// Where the policy keeps values past their ttl, what is stale is returned in place of what the
  /// loader threw, or at once while another caller refreshes it. The caller who finds nobody at it
  /// runs his loader himself, as it cannot be run elsewhere: give an owned() one to have it run in
  /// the background.
  ///
  /// A value larger than max_value_bytes is returned, and not kept.
  ///
  /// Errors: acquire_timeout, when another's load took longer than the timeout; execution_timeout,
  /// when it took longer than policy::load_timeout; invalid_argument, when another caller loads
  /// this key as another type.
  template <class V, loader_of<V> Loader>
  lookup<V> get_or_load(std::string_view key, const policy& how, Loader&& loader,
                        const call_options& options = {}) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    detail::decoding_port<V> port;
    std::optional<V> loaded;
    auto load_here = [&](const load_context& context, std::string& out) {
      loaded = detail::load_value<V>(loader, context);
      if (loaded) codec<V>::encode(*loaded, out);
      return loaded.has_value();
    };
    auto raw = read_or_load(key, how, options, port, std::ref(load_here), false);
    if (raw.loaded_here) port.value = std::move(loaded);
    return port.finish(raw);
  }

  /// As above, with a loader that may outlive the call; see owned(). It runs on the work executor
  /// where the caller need not wait for its end: for a refresh, and where the policy has a
  /// soft_timeout (and something stale is kept) or a load_timeout; else on the calling thread.
  ///
  /// A load that runs when the last handle of the store goes is asked to stop, and not waited for;
  /// a refresh that has not begun is dropped.
  template <class V, loader_of<V> Loader>
  lookup<V> get_or_load(std::string_view key, const policy& how, owned_loader<Loader> loader,
                        const call_options& options = {}) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    detail::decoding_port<V> port;
    auto kept = detail::keep_loader<V>(std::move(loader.loader));
    return port.finish(read_or_load(key, how, options, port, kept, true));
  }

  /// Forgets `key` in both tiers, and any load of it that is under way. Once it has returned, no
  /// lookup finds what was there before. Where that is quicker than waiting for a slow writer or a
  /// failing disk until the deadline, some other keys' files are forgotten with it.
  ///
  /// Errors, where the server of store_params::shared could not be told: unavailable,
  /// acquire_timeout, commit_in_doubt (it may have been), what it refused it with.
  void erase(std::string_view key, const call_options& options = {});

  /// Forgets everything, for all processes of the directory or of the server and the namespace.
  /// Files are removed lazily, and so are entries of a server. Errors: as erase().
  void clear();

  /// The values kept under `keys`, in their order; what is past its ttl is a miss. What is not in
  /// memory is asked of the server at once, in one round trip.
  template <class V>
  std::vector<lookup<V>> get_many(std::vector<std::string> keys, const call_options& options = {}) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    detail::typed_batch<V> batch(std::move(keys));
    read_many(batch, options);
    return batch.finish();
  }

  /// Keeps each value under its key, as set() does; on a server in one round trip. Not one step:
  /// others may see some of them before the rest. Where a codec throws, its key is erased and
  /// nothing is set. What is too large does not keep the others from being set.
  ///
  /// Errors: as set().
  template <class V>
  void set_many(const std::vector<std::pair<std::string, V>>& values, const policy& how,
                const call_options& options = {}) {
    write_many(encode_all(values), how, options);
  }

  /// The values kept under `keys`, in their order; `loader` is called once, for those that miss,
  /// and what it returns is kept:
  ///
  ///     auto pages = store.get_or_load_many<product>(
  ///         keys, cache::ttl::product, [&](std::span<const std::string> missing) {
  ///           return find_products(missing);  // std::vector<std::optional<product>>
  ///         });
  ///
  /// It returns a std::optional<V> for each of the keys that it was given, in their order; without
  /// a value: there is none. It may have a `const load_context&` as its first argument. It runs on
  /// the calling thread, not at all when nothing is missing, and is not given what another caller
  /// is loading, which is waited for. Of each key it is as in get_or_load(): one load at a time,
  /// overtaken by a set or an erase. What is below memory is asked at once, in one round trip for
  /// what is there and one or two more for what is not (with memcached some for each key).
  ///
  /// A loader that throws has failed for all of its keys. What is stale is served in its place, as
  /// in get_or_load(), else the call throws. Nothing is refreshed ahead of its time.
  ///
  /// Errors: as get_or_load(); invalid_argument for a loader that returns too many values or too
  /// few.
  template <class V, class Loader>
    requires batch_loader_of<Loader, V>
  std::vector<lookup<V>> get_or_load_many(std::vector<std::string> keys, const policy& how,
                                          Loader&& loader, const call_options& options = {}) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    detail::typed_batch<V> batch(std::move(keys));
    read_or_load_many(batch, how, options, detail::encoding_loader<V>(loader));
    return batch.finish();
  }

  /// Completes with lookup<V>.
  template <class V, class Token>
  auto async_get(std::string key, call_options options, Token&& token) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    return boost::asio::async_initiate<Token, void(std::exception_ptr, lookup<V>)>(
        [](auto handler, store self, std::string k, call_options o) {
          auto port = std::make_shared<detail::decoding_port<V>>();
          self.start_read(std::move(k), o, port, typed<V>(std::move(handler), port));
        },
        token, *this, std::move(key), options);
  }
  template <class V, class Token>
  auto async_get(std::string key, Token&& token) {
    return async_get<V>(std::move(key), call_options{}, std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class V, class Token>
  auto async_set(std::string key, const V& value, const policy& how, call_options options,
                 Token&& token) {
    auto bytes = encode(key, value);
    return boost::asio::async_initiate<Token, void(std::exception_ptr, done)>(
        [](auto handler, store self, std::string k, std::string b, policy p, call_options o) {
          self.start_write(std::move(k), std::move(b), p, o,
                           completion_handler<done>(std::move(handler)));
        },
        token, *this, std::move(key), std::move(bytes), how, options);
  }
  template <class V, class Token>
  auto async_set(std::string key, const V& value, const policy& how, Token&& token) {
    return async_set(std::move(key), value, how, call_options{}, std::forward<Token>(token));
  }

  /// As get_or_load() with an owned() loader: the loader, which may block, runs on the work
  /// executor and must own what it uses. A caller who began a load may time out (acquire_timeout)
  /// or be cancelled like any other: the load goes on for the rest. Completes with lookup<V>.
  template <class V, class Loader, class Token>
    requires loader_of<Loader, V>
  auto async_get_or_load(std::string key, const policy& how, Loader loader, call_options options,
                         Token&& token) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    return boost::asio::async_initiate<Token, void(std::exception_ptr, lookup<V>)>(
        [](auto handler, store self, std::string k, policy p, Loader l, call_options o) {
          auto port = std::make_shared<detail::decoding_port<V>>();
          self.start_read_or_load(std::move(k), p, o, port, detail::keep_loader<V>(std::move(l)),
                                  typed<V>(std::move(handler), port));
        },
        token, *this, std::move(key), how, std::move(loader), options);
  }
  template <class V, class Loader, class Token>
    requires loader_of<Loader, V>
  auto async_get_or_load(std::string key, const policy& how, Loader loader, Token&& token) {
    return async_get_or_load<V>(std::move(key), how, std::move(loader), call_options{},
                                std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class Token>
  auto async_erase(std::string key, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, done)>(
        [](auto handler, store self, std::string k, call_options o) {
          self.start_erase(std::move(k), o, completion_handler<done>(std::move(handler)));
        },
        token, *this, std::move(key), options);
  }
  template <class Token>
  auto async_erase(std::string key, Token&& token) {
    return async_erase(std::move(key), call_options{}, std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class Token>
  auto async_clear(call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, done)>(
        [](auto handler, store self, call_options o) {
          self.start_clear(o, completion_handler<done>(std::move(handler)));
        },
        token, *this, options);
  }
  template <class Token>
  auto async_clear(Token&& token) {
    return async_clear(call_options{}, std::forward<Token>(token));
  }

  /// Completes with std::vector<lookup<V>>.
  template <class V, class Token>
  auto async_get_many(std::vector<std::string> keys, call_options options, Token&& token) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<lookup<V>>)>(
        [](auto handler, store self, std::vector<std::string> k, call_options o) {
          auto batch = std::make_shared<detail::typed_batch<V>>(std::move(k));
          using handler_type = std::decay_t<decltype(handler)>;
          self.start_read_many(batch, o,
                               completion_handler<done>(detail::batch_handler<V, handler_type>{
                                   std::move(handler), batch}));
        },
        token, *this, std::move(keys), options);
  }
  template <class V, class Token>
  auto async_get_many(std::vector<std::string> keys, Token&& token) {
    return async_get_many<V>(std::move(keys), call_options{}, std::forward<Token>(token));
  }

  /// The call and its loader, which must own what it uses, run on the work executor where not all
  /// is in memory. Completes with std::vector<lookup<V>>.
  template <class V, class Loader, class Token>
    requires batch_loader_of<Loader, V>
  auto async_get_or_load_many(std::vector<std::string> keys, const policy& how, Loader loader,
                              call_options options, Token&& token) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<lookup<V>>)>(
        [](auto handler, store self, std::vector<std::string> k, policy p, Loader l,
           call_options o) {
          auto batch = std::make_shared<detail::typed_batch<V>>(std::move(k));
          using handler_type = std::decay_t<decltype(handler)>;
          self.start_read_or_load_many(
              batch, p, o, detail::keep_encoding_loader<V>(std::move(l)),
              completion_handler<done>(
                  detail::batch_handler<V, handler_type>{std::move(handler), batch}));
        },
        token, *this, std::move(keys), how, std::move(loader), options);
  }
  template <class V, class Loader, class Token>
    requires batch_loader_of<Loader, V>
  auto async_get_or_load_many(std::vector<std::string> keys, const policy& how, Loader loader,
                              Token&& token) {
    return async_get_or_load_many<V>(std::move(keys), how, std::move(loader), call_options{},
                                     std::forward<Token>(token));
  }

  /// Completes with scalekit::done.
  template <class V, class Token>
  auto async_set_many(const std::vector<std::pair<std::string, V>>& values, const policy& how,
                      call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, done)>(
        [](auto handler, store self, encoded_values v, policy p, call_options o) {
          self.start_write_many(std::move(v), p, o, completion_handler<done>(std::move(handler)));
        },
        token, *this, encode_all(values), how, options);
  }
  template <class V, class Token>
  auto async_set_many(const std::vector<std::pair<std::string, V>>& values, const policy& how,
                      Token&& token) {
    return async_set_many(values, how, call_options{}, std::forward<Token>(token));
  }

  statistics stats() const;

  /// Takes the decision whether the shared server is asked from this store's breaker, or gives it
  /// back. Errors: closed, forked, and invalid_argument in a store without one.
  void force_shared(shared_mode mode);

  /// Ends the store: waiting calls complete with errc::closed, running loaders are asked to stop,
  /// and their values are not kept. Later calls throw errc::closed. Files stay. Waits for no
  /// loader; for blocking calls that are with the shared server, store_params::shared_timeout at
  /// most.
  ///
  /// The last handle of a store that goes closes it. After that nothing of it touches the
  /// execution's loop, which may go too, while a loader still runs.
  void close() noexcept;

 private:
  struct state;

  explicit store(std::shared_ptr<state> s) : state_(std::move(s)) {}

  template <class V>
  std::string encode(std::string_view key, const V& value) {
    static_assert(has_codec<V>, "specialise scalekit::cache::codec<V>");
    std::string bytes;
    try {
      codec<V>::encode(value, bytes);
    } catch (...) {
      erase(key);
      throw;
    }
    return bytes;
  }

  using encoded_values = std::vector<std::pair<std::string, std::string>>;

  template <class V>
  encoded_values encode_all(const std::vector<std::pair<std::string, V>>& values) {
    encoded_values all;
    all.reserve(values.size());
    for (const auto& [key, value] : values) all.emplace_back(key, encode(key, value));
    return all;
  }

  template <class V, class Handler>
  static completion_handler<detail::raw_lookup> typed(
      Handler handler, std::shared_ptr<detail::decoding_port<V>> port) {
    return detail::typed_handler<V, Handler>{std::move(handler), std::move(port)};
  }

  detail::raw_lookup read(std::string_view key, const call_options& options,
                          detail::value_port& port);
  detail::raw_lookup read_or_load(std::string_view key, const policy& how,
                                  const call_options& options, detail::value_port& port,
                                  const detail::raw_loader& loader, bool loader_is_owned);
  void write(std::string_view key, std::string_view bytes, const policy& how,
             const call_options& options);

  void start_read(std::string key, call_options options, std::shared_ptr<detail::value_port> port,
                  completion_handler<detail::raw_lookup> handler);
  void start_read_or_load(std::string key, const policy& how, call_options options,
                          std::shared_ptr<detail::value_port> port, detail::raw_loader loader,
                          completion_handler<detail::raw_lookup> handler);
  void start_write(std::string key, std::string bytes, const policy& how, call_options options,
                   completion_handler<done> handler);
  void start_erase(std::string key, call_options options, completion_handler<done> handler);
  void start_clear(call_options options, completion_handler<done> handler);

  void read_many(detail::raw_batch& batch, const call_options& options);
  void read_or_load_many(detail::raw_batch& batch, const policy& how, const call_options& options,
                         const detail::raw_batch_loader& loader);
  void start_read_or_load_many(std::shared_ptr<detail::raw_batch> batch, const policy& how,
                               call_options options, detail::raw_batch_loader loader,
                               completion_handler<done> handler);
  void write_many(encoded_values values, const policy& how, const call_options& options);
  void start_read_many(std::shared_ptr<detail::raw_batch> batch, call_options options,
                       completion_handler<done> handler);
  void start_write_many(encoded_values values, const policy& how, call_options options,
                        completion_handler<done> handler);

  std::shared_ptr<state> state_;
};

}  // namespace scalekit::cache

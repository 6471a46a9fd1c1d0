#pragma once

#include "scalekit/cache/codec.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/cache/options.hpp"
#include "scalekit/cache/pinned_bytes.hpp"

#include <boost/asio/associator.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// What joins the typed face of a store to its body, which knows bytes only.

namespace scalekit::cache::detail {

/// A lookup without its value.
struct raw_lookup {
  cache::freshness freshness = cache::freshness::miss;
  cache::tier tier = cache::tier::none;
  std::chrono::milliseconds age{0};
  /// Of its time to live; negative: stale for so long.
  std::chrono::milliseconds left{0};
  /// The caller's own loader has just run on its own thread: the caller has the value.
  bool loaded_here = false;
};

/// Takes the bytes that a tier or a load gave.
class value_port {
 public:
  virtual ~value_port() = default;

  /// Where a hit in memory is copied to at once; null: it is pinned and given to accept().
  virtual std::string* buffer() noexcept { return nullptr; }

  /// False: they are no V.
  virtual bool accept(std::string&& bytes) noexcept = 0;
  virtual bool accept(pinned_bytes&& bytes) noexcept = 0;

  /// An empty one for the same V, and what that took: for attempts of which one counts.
  virtual std::unique_ptr<value_port> another() const = 0;
  virtual void adopt(value_port& made_by_another) noexcept = 0;

  /// Why the value given could not be refreshed.
  std::exception_ptr error;
};

template <class V>
class decoding_port final : public value_port {
 public:
  std::string* buffer() noexcept override {
    if constexpr (std::same_as<V, std::string>) return &value.emplace();
    return nullptr;
  }

  bool accept(std::string&& bytes) noexcept override { return take(std::move(bytes)); }
  bool accept(pinned_bytes&& bytes) noexcept override { return take(std::move(bytes)); }

  std::unique_ptr<value_port> another() const override { return std::make_unique<decoding_port>(); }
  void adopt(value_port& made_by_another) noexcept override {
    value = std::move(static_cast<decoding_port&>(made_by_another).value);
    error = std::move(made_by_another.error);
  }

  lookup<V> finish(const raw_lookup& raw) {
    const bool has_value = raw.freshness == freshness::fresh || raw.freshness == freshness::stale;
    if (!has_value) value.reset();
    return {std::move(value), raw.freshness, raw.tier, raw.age, raw.left, std::move(error)};
  }

  std::optional<V> value;

 private:
  template <class Bytes>
  bool take(Bytes&& bytes) noexcept {
    try {
      if constexpr (std::same_as<V, Bytes>) {
        value = std::move(bytes);
      } else {
        value = codec<V>::decode(std::string_view(bytes));
      }
    } catch (...) {
      value.reset();  // what the codec cannot read is not in the cache
    }
    return value.has_value();
  }
};

/// Appends the loaded value's bytes; false: there is no value.
using raw_loader = std::function<bool(const load_context&, std::string& out)>;

template <class Loader>
  requires std::invocable<Loader&> || std::invocable<Loader&, const load_context&>
decltype(auto) call_loader(Loader& loader, const load_context& context) {
  if constexpr (std::invocable<Loader&, const load_context&>) {
    return loader(context);
  } else {
    return loader();
  }
}

template <class V, class Loader>
std::optional<V> load_value(Loader& loader, const load_context& context) {
  return std::optional<V>(call_loader(loader, context));
}

/// A loader that owns what it uses, and can be run at any time, on any thread.
template <class V, class Loader>
raw_loader keep_loader(Loader&& loader) {
  return [kept = std::make_shared<std::decay_t<Loader>>(std::forward<Loader>(loader))](
             const load_context& context, std::string& out) {
    auto value = load_value<V>(*kept, context);
    if (value) codec<V>::encode(*value, out);
    return value.has_value();
  };
}

/// Hands what a raw operation completed with to the caller's handler, as a lookup<V>.
template <class V, class Handler>
struct typed_handler {
  Handler handler;
  std::shared_ptr<decoding_port<V>> port;

  void operator()(std::exception_ptr e, const raw_lookup& raw) {
    std::move(handler)(e, e ? lookup<V>{} : port->finish(raw));
  }
};

}  // namespace scalekit::cache::detail

/// The wrapped handler keeps its executor, allocator and cancellation slot.
template <template <class, class> class Associator, class V, class Handler, class Default>
struct boost::asio::associator<Associator, scalekit::cache::detail::typed_handler<V, Handler>,
                               Default> : Associator<Handler, Default> {
  static auto get(const scalekit::cache::detail::typed_handler<V, Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const scalekit::cache::detail::typed_handler<V, Handler>& h,
                  const Default& d) noexcept {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};

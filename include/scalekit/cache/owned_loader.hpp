#pragma once

#include <type_traits>
#include <utility>

namespace scalekit::cache {

/// A loader that may be run after the call that it was given to has returned, on another thread.
/// Made by owned(). It holds all that it captured until the last such run has ended.
template <class Loader>
struct owned_loader {
  Loader loader;
};

/// Says of a loader that it owns what it uses: values and shared handles, no references, no views,
/// no `this` of what may be gone by then.
///
///     store.get_or_load<product>(key, how, cache::owned([db, id] { return find(db, id); }));
///
/// No compiler can check that, so it has to be said: a blocking call that is given a plain loader
/// never runs it after it has returned, nor on another thread, whatever the policy asks for. With
/// an owned one, refreshes of stale and ageing values run in the background, and soft_timeout and
/// load_timeout end the caller's own wait, too. Loaders of async_ calls have always to own what
/// they use.
template <class Loader>
owned_loader<std::decay_t<Loader>> owned(Loader&& loader) {
  return {std::forward<Loader>(loader)};
}

}  // namespace scalekit::cache

#pragma once

#include <utility>

namespace scalekit::detail {

/// In a child of fork(): lets go of `what` without ending it, as it is the parent's. Threads are
/// not even detached, nor what they share freed: of both only the memory is here.
template <class T>
void leave_to_parent(T& what) {
  // Without memory for it the child ends here: better than a hang.
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
  [[maybe_unused]] auto* left = new T(std::move(what));
}

}  // namespace scalekit::detail

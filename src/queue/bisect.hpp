#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <utility>
#include <vector>

namespace scalekit::queue::detail {

/// An item that could not be applied even alone.
struct bisect_failure {
  std::size_t index;
  std::exception_ptr why;
};

/// Applies all of `items`; when that fails, its two halves, and so on: k bad items of n cost about
/// k log n calls, and hinder none of the others.
///
/// `apply(span)` does all or nothing, and throws. What `give_up(exception_ptr)` is true for has
/// nothing to do with the items (the database is away), and ends the whole: it is rethrown, and
/// what was applied stays applied: `applied(span)` is told of every part that was.
template <class T, class Apply, class Applied, class GiveUp>
std::vector<bisect_failure> bisect(std::span<T> items, Apply&& apply, Applied&& applied,
                                   GiveUp&& give_up) {
  std::vector<bisect_failure> failures;
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  if (!items.empty()) parts.emplace_back(0, items.size());
  while (!parts.empty()) {
    const auto [begin, size] = parts.back();
    parts.pop_back();
    const auto part = items.subspan(begin, size);
    try {
      apply(part);
    } catch (...) {
      if (give_up(std::current_exception())) throw;
      if (size == 1) {
        failures.push_back({begin, std::current_exception()});
      } else {
        parts.emplace_back(begin + size / 2, size - size / 2);
        parts.emplace_back(begin, size / 2);
      }
      continue;
    }
    applied(part);
  }
  return failures;
}

}  // namespace scalekit::queue::detail

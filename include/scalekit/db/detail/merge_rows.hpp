#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

/// The first `limit` rows of all parts, each of which is in order. Of rows that are equal, those of
/// the first part come first. Without a `less`, the parts one after the other.
template <class Row, class Less>
std::vector<Row> merge_rows(std::vector<std::vector<Row>>& parts, const Less& less,
                            std::size_t limit = std::numeric_limits<std::size_t>::max()) {
  std::vector<Row> out;
  std::size_t total = 0;
  for (const auto& part : parts) total += part.size();
  out.reserve(std::min(total, limit));
  if (!less) {
    for (auto& part : parts) {
      for (auto& row : part) {
        if (out.size() == limit) return out;
        out.push_back(std::move(row));
      }
    }
    return out;
  }
  struct head {
    std::size_t part;
    std::size_t row;
  };
  // The heap keeps its largest at the front: what comes later is larger.
  const auto comes_later = [&](const head& a, const head& b) {
    const Row& first = parts[a.part][a.row];
    const Row& second = parts[b.part][b.row];
    if (less(second, first)) return true;
    return !less(first, second) && a.part > b.part;
  };
  std::vector<head> heap;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].empty()) heap.push_back({i, 0});
  }
  std::ranges::make_heap(heap, comes_later);
  while (!heap.empty() && out.size() < limit) {
    std::ranges::pop_heap(heap, comes_later);
    auto& next = heap.back();
    out.push_back(std::move(parts[next.part][next.row]));
    if (++next.row == parts[next.part].size()) {
      heap.pop_back();
    } else {
      std::ranges::push_heap(heap, comes_later);
    }
  }
  return out;
}

}  // namespace scalekit::db::detail

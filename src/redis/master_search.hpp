#pragma once

#include "redis/place.hpp"
#include "redis/sentinel_words.hpp"
#include "scalekit/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace scalekit::redis::detail {

struct found_master {
  place where;
  /// Who says so.
  std::size_t sentinel = 0;
  /// Of one that says that there is no quorum: how. Else empty.
  std::string reservation = {};
};

struct failed_search {
  errc code = errc::unavailable;
  std::string why = {};
  /// Asking again will not help.
  bool is_hopeless = false;
};

/// In which order the sentinels of a service are asked for its master, and whom of them is
/// believed; without I/O.
///
/// Whoever was believed last is asked first. One that has no quorum may be cut off with an old
/// master, and is believed only if no other one answers.
class master_search {
 public:
  /// Precondition: there is at least one.
  master_search(std::string service, std::vector<place> sentinels);

  /// Which one to ask now, or how the search has ended.
  using step = std::variant<std::size_t, found_master, failed_search>;

  /// Begins a search; one under way is forgotten.
  std::size_t begin();
  /// What the one that was asked says, or why it says nothing.
  step take(sentinel_word word);

  /// There was no master where `sentinel` had said: next time another one is asked first.
  void doubt(std::size_t sentinel) noexcept;
  /// `sentinel` has news: it is asked first next time.
  void prefer(std::size_t sentinel) noexcept { first_ = sentinel; }

 private:
  step end() const;

  const std::string service_;
  const std::vector<place> sentinels_;
  std::size_t first_ = 0;

  // Of the search under way.
  std::size_t begun_with_ = 0;
  std::size_t asked_ = 0;
  std::size_t unknowing_ = 0;
  std::string answers_;
  std::optional<found_master> last_resort_;
};

}  // namespace scalekit::redis::detail

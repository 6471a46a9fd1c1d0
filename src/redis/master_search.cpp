#include "redis/master_search.hpp"

#include <utility>

namespace scalekit::redis::detail {

master_search::master_search(std::string service, std::vector<place> sentinels)
    : service_(std::move(service)), sentinels_(std::move(sentinels)) {}

std::size_t master_search::begin() {
  begun_with_ = first_;
  asked_ = 0;
  unknowing_ = 0;
  answers_.clear();
  last_resort_.reset();
  return begun_with_;
}

master_search::step master_search::take(sentinel_word word) {
  const auto asked = (begun_with_ + asked_) % sentinels_.size();
  if (word.master && word.has_quorum) {
    first_ = asked;
    return found_master{std::move(*word.master), asked};
  }
  if (word.is_unknown) ++unknowing_;
  answers_ += (answers_.empty() ? "" : "; ") + sentinels_[asked].name() + ": " + word.why;
  if (word.master && !last_resort_) {
    last_resort_ = found_master{std::move(*word.master), asked, std::move(word.why)};
  }
  if (++asked_ == sentinels_.size()) return end();
  return (begun_with_ + asked_) % sentinels_.size();
}

master_search::step master_search::end() const {
  if (last_resort_) return *last_resort_;
  if (unknowing_ > 0) {
    return failed_search{errc::invalid_argument,
                         "no sentinel knows the service \"" + service_ + "\": " + answers_,
                         unknowing_ == sentinels_.size()};
  }
  return failed_search{errc::unavailable,
                       "no sentinel says where the master of \"" + service_ + "\" is: " + answers_};
}

void master_search::doubt(std::size_t sentinel) noexcept {
  if (first_ == sentinel) first_ = (sentinel + 1) % sentinels_.size();
}

}  // namespace scalekit::redis::detail

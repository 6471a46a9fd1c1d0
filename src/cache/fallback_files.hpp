#pragma once

#include "cache/fallback_store.hpp"
#include "cache/file_tier.hpp"
#include "scalekit/cache/store_params.hpp"

#include <chrono>
#include <string>

namespace scalekit::cache::detail {

/// A file tier with the verbs of a server. A placeholder stands nowhere: it says in which state of
/// its stripe's fence the load began, and a fill is stored where that has not moved since.
class fallback_files final : public fallback_store {
 public:
  /// Of store_params::fallback. Throws scalekit::error for a directory that cannot be used.
  explicit fallback_files(const store_params& params);

  tokens begin(const shared_request& what) override;
  shared_answer run(const shared_request& what, const deadline& until,
                    const tokens& begun) override;
  void forget(std::string_view key) noexcept override;
  void clear() noexcept override { files_.gate().advance_epoch(); }
  counts counted() const noexcept override;

 private:
  /// With the namespace: stores of several may share a directory.
  std::string full(std::string_view key) const { return prefix_ + std::string(key); }
  std::optional<std::string> find(const std::string& key);
  std::string claim(const std::string& key);
  bool fill(const shared_item& item, const std::string& expected, const deadline& until);
  bool put(const shared_item& item, const fill_token& begun, const deadline& until);
  void erase(const std::string& key, const deadline& until);
  file_entry entry_of(const shared_item& item, const std::string& key,
                      const std::string& framed) const;

  const std::string prefix_;
  const std::chrono::microseconds ttl_;
  file_tier files_;
};

}  // namespace scalekit::cache::detail

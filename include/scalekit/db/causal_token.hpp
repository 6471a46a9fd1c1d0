#pragma once

#include "scalekit/core/export.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit::db {

/// What write_result::token() is, taken apart: "everything up to this write".
///
/// As text it fits a cookie, a header or a job: letters, digits and '-', at most 48 of them. It
/// holds no secret, and a forged one can only make a read wait or be refused. A value; nothing to
/// know about it but its text.
class SCALEKIT_EXPORT causal_token {
 public:
  /// Which database gave it.
  enum class origin : std::uint8_t { none, sqlite, postgres };

  /// Stands for nothing: every read satisfies it. Its text is empty.
  causal_token() = default;

  /// What each write on SQLite gives: every later read sees every write before it.
  static causal_token sqlite() noexcept;

  /// A place in the write-ahead log of the cluster `system_id`. None of the three is 0.
  static causal_token postgres(std::uint64_t system_id, std::uint32_t timeline,
                               std::uint64_t lsn) noexcept;

  /// Exactly what to_string() gives. Throws errc::invalid_argument for anything else, without
  /// repeating it: it may come from a stranger's cookie.
  static causal_token parse(std::string_view text);

  std::string to_string() const;

  origin from() const noexcept { return origin_; }
  bool is_empty() const noexcept { return origin_ == origin::none; }

  /// PostgreSQL's: the cluster, the timeline of the primary at the write, and a position in its
  /// log at or after the end of the commit. 0 for others.
  std::uint64_t system_id() const noexcept { return system_id_; }
  std::uint32_t timeline() const noexcept { return timeline_; }
  std::uint64_t lsn() const noexcept { return lsn_; }

  /// Whether the two are of one database, or one is empty.
  bool can_merge(const causal_token& other) const noexcept {
    return is_empty() || other.is_empty() ||
           (origin_ == other.origin_ && system_id_ == other.system_id_);
  }

  /// Becomes the later of the two; a later timeline is later. Throws errc::invalid_argument for
  /// tokens of two different databases, and stays as it was.
  void merge(const causal_token& other);

  friend bool operator==(const causal_token&, const causal_token&) = default;

 private:
  origin origin_ = origin::none;
  std::uint32_t timeline_ = 0;
  std::uint64_t system_id_ = 0;
  std::uint64_t lsn_ = 0;
};

}  // namespace scalekit::db

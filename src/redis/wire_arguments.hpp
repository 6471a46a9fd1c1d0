#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace scalekit::redis::detail {

/// Goes through the arguments of a command that this room has written; its name is the first.
class wire_arguments {
 public:
  explicit wire_arguments(std::string_view wire) : rest_(wire) { skip_line(); }

  /// Nothing after the last.
  std::optional<std::string_view> next() noexcept {
    if (rest_.size() < 2) return std::nullopt;
    std::size_t size = 0;
    std::from_chars(rest_.data() + 1, rest_.data() + rest_.size(), size);
    skip_line();
    const auto found = rest_.substr(0, size);
    rest_.remove_prefix(size + 2);
    return found;
  }

  /// What was not gone through yet.
  std::string_view rest() const noexcept { return rest_; }

 private:
  void skip_line() noexcept { rest_.remove_prefix(rest_.find('\n') + 1); }

  std::string_view rest_;
};

}  // namespace scalekit::redis::detail

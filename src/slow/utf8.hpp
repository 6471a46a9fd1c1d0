#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace scalekit::slow {

/// Replaces control characters and what is not UTF-8 in `text`, from byte `from` on, by `_`, byte
/// for byte.
void make_printable(std::string& text, std::size_t from);

/// Cuts `text` to at most `max` bytes, ending in "..." where something was cut, and never inside
/// a character. Returns whether it was cut.
bool cut_text(std::string& text, std::size_t max);

}  // namespace scalekit::slow

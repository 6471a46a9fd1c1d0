#pragma once

#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace support {

/// The error that `action` throws. Fails the test, and returns no error, when there is none.
template <class Action>
scalekit::error error_of(Action&& action) {
  try {
    action();
  } catch (const scalekit::error& e) {
    return e;
  }
  FAIL_CHECK("a scalekit::error was expected, nothing was thrown");
  return {};
}

/// True when `text` contains `part`; shows both when used in CHECK.
inline bool contains(const std::string& text, const std::string& part) {
  INFO("text: ", text);
  return text.find(part) != std::string::npos;
}

}  // namespace support

/// Checks that the expression throws scalekit::error with this errc.
#define CHECK_ERRC(expression, wanted) \
  CHECK_EQ(::support::error_of([&] { static_cast<void>(expression); }).code(), (wanted))

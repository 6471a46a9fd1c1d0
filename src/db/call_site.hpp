#pragma once

#include "scalekit/core/error.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::db::detail {

/// "order.cpp:42": the last part of the path is enough for a person, and tells nobody how the
/// build machine is laid out.
inline std::string describe(const std::source_location& site) {
  std::string_view file = site.file_name();
  if (auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return std::string(file) + ":" + std::to_string(site.line());
}

inline std::string in_ms(std::chrono::nanoseconds d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

/// The error with `text` before its message, unless it begins so.
inline std::exception_ptr with_text(const std::exception_ptr& e, const std::string& text) {
  try {
    std::rethrow_exception(e);
  } catch (const error& known) {
    if (known.diag().client_message.starts_with(text)) return e;
    auto diag = known.diag();
    diag.client_message.insert(0, text);
    return std::make_exception_ptr(error(known.code(), std::move(diag)));
  } catch (...) {
    return e;
  }
}

/// What encoding and decoding throw knows its column or parameter, but not whose it is: the error
/// with the place before it.
inline std::exception_ptr with_place(const std::exception_ptr& e,
                                     const std::source_location& site) {
  return with_text(e, describe(site) + ": ");
}

/// The error with which statement of a batch it is of before it, or that it is of the end where
/// `at` is beyond the last.
inline std::exception_ptr with_number(const std::exception_ptr& e, std::size_t at,
                                      std::size_t count) {
  if (at >= count) return with_text(e, "the end of the batch: ");
  return with_text(e, "statement " + std::to_string(at + 1) + " of " + std::to_string(count) +
                          " of the batch: ");
}

}  // namespace scalekit::db::detail

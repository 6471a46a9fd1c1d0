#pragma once

#include "scalekit/slow/lexer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// The first byte of an input chooses the dialect, the rest is SQL.
struct sql_input {
  scalekit::slow::dialect dialect;
  std::string_view sql;
};

inline sql_input split_input(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return {scalekit::slow::dialect::postgres, {}};
  return {static_cast<scalekit::slow::dialect>(data[0] % 3),
          {reinterpret_cast<const char*>(data) + 1, size - 1}};
}

/// An invariant; the fuzzer reports the abort.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

#pragma once

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace support {

/// Whether a test that needs a file system of its own can go on: `mounted`, which mount(2) has just
/// told. Where not, says that the test is skipped; a failure where SCALEKIT_TESTS_MUST_MOUNT is set
/// and not empty, as `scripts/test --all` does for root: nothing is skipped there unnoticed.
inline bool may_mount(bool mounted) {
  const std::string why = std::strerror(errno);
  if (mounted) return true;
  const char* must = std::getenv("SCALEKIT_TESTS_MUST_MOUNT");
  if (must != nullptr && *must != '\0') {
    FAIL_CHECK("mount(2): ", why,
               "; the test cannot run. Where the kernel allows no mounts, set "
               "SCALEKIT_TESTS_MUST_MOUNT to nothing to skip it");
  } else {
    MESSAGE("skipped: may not mount (", why, ")");
  }
  return false;
}

}  // namespace support

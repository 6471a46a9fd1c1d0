#pragma once

#include "support/wait_until.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/types.h>

namespace support {

/// Waits until every thread of a process that was sent SIGSTOP has stopped: the signal reaches them
/// one after the other. False: not in time.
inline bool wait_until_stopped(pid_t process) {
  const auto threads = "/proc/" + std::to_string(process) + "/task";
  return wait_until([&] {
    for (const auto& thread : std::filesystem::directory_iterator(threads)) {
      std::ifstream file(thread.path() / "stat");
      const std::string stat(std::istreambuf_iterator<char>(file), {});
      const auto name_end = stat.rfind(')');
      if (name_end == stat.npos || stat.size() < name_end + 3 || stat[name_end + 2] != 'T') {
        return false;
      }
    }
    return true;
  });
}

}  // namespace support

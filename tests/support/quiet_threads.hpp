#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

namespace support {

/// Waits until all other threads of the process sleep, so that a fork() finds no allocator locked:
/// the sanitizers' own does not know fork. Gives up after ten seconds' worth of looks.
inline void wait_until_others_sleep() {
  namespace fs = std::filesystem;
  const auto self = std::to_string(gettid());
  for (int look = 0; look < 10'000; ++look) {
    bool all_asleep = true;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
      if (task.path().filename() == self) continue;
      std::string stat;
      std::getline(std::ifstream(task.path() / "stat") >> std::ws, stat);
      // "pid (name) state ...", and a name may hold anything.
      const auto name_end = stat.rfind(") ");
      if (name_end != std::string::npos && stat[name_end + 2] == 'R') all_asleep = false;
    }
    if (all_asleep) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

}  // namespace support

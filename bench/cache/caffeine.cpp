#include "cache/caffeine.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

std::uint64_t caffeine_hits(const std::vector<std::uint64_t>& keys, std::size_t capacity) {
  const std::filesystem::path ready = SCALEKIT_SOURCE_DIR "/build/bench/peers/caffeine";
  const auto file = ready / "keys";
  {
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(keys.data()),
              static_cast<std::streamsize>(keys.size() * sizeof keys[0]));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  }
  const auto command = "java -cp '" + ready.string() + ":" + ready.string() + "/*' Replay '" +
                       file.string() + "' " + std::to_string(capacity);
  std::string answer;
  if (auto* java = ::popen(command.c_str(), "r")) {
    char text[64];
    if (std::fgets(text, sizeof text, java)) answer = text;
    if (::pclose(java) != 0) answer.clear();
  }
  std::filesystem::remove(file);
  if (answer.empty()) {
    throw std::runtime_error("Caffeine did not answer: is build/bench/peers/caffeine ready?");
  }
  return std::strtoull(answer.c_str(), nullptr, 10);
}

}  // namespace bench

#include "cache/trace.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace bench {
namespace {

struct pipe_closer {
  void operator()(std::FILE* pipe) const { ::pclose(pipe); }
};

}  // namespace

std::vector<std::uint64_t> read_trace(const std::string& path, bool arc) {
  const std::unique_ptr<std::FILE, pipe_closer> in(
      ::popen(("gzip -dc '" + path + "'").c_str(), "r"));
  std::vector<std::uint64_t> keys;
  char line[256];
  while (in && std::fgets(line, sizeof line, in.get())) {
    char* rest = nullptr;
    const auto first = std::strtoull(line, &rest, 10);
    if (rest == line) continue;
    const auto count = arc ? std::strtoull(rest, nullptr, 10) : 1;
    for (std::uint64_t i = 0; i < count; ++i) keys.push_back(first + i);
  }
  if (keys.empty()) throw std::runtime_error("no trace can be read from " + path);
  return keys;
}

}  // namespace bench

#include "harness.hpp"

#include "command_line.hpp"
#include "outcome.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {
namespace {

std::vector<case_spec>& cases() {
  static std::vector<case_spec> all;
  return all;
}

std::string& traces() {
  static std::string directory;
  return directory;
}

void run_cases(const command_line& wanted) {
  std::ofstream out;
  if (!wanted.out.empty()) out.open(wanted.out, std::ios::app);
  traces() = wanted.traces;
  register_cases();
  for (auto& spec : cases()) {
    if (!wanted.wants(spec.name)) continue;
    if (wanted.only_list) {
      std::puts(spec.name.c_str());
      continue;
    }
    if (spec.needs_traces && traces().empty()) {
      std::printf("%-28s not run: it needs --traces DIR\n", spec.name.c_str());
      continue;
    }
    if (wanted.runs) spec.runs = *wanted.runs;
    const auto result = run(spec);
    std::puts(table_row(spec, result).c_str());
    std::fflush(stdout);
    if (out.is_open()) out << json_line(spec, result) << '\n' << std::flush;
  }
}

}  // namespace

void add(case_spec spec) {
  cases().push_back(std::move(spec));
}

const std::string& traces_directory() {
  return traces();
}

double rate(const std::function<void(std::uint64_t)>& batch, double seconds) {
  for (std::uint64_t n = 1000;; n *= 2) {
    auto start = std::chrono::steady_clock::now();
    batch(n);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (took.count() >= seconds) return static_cast<double>(n) / took.count();
  }
}

}  // namespace bench

int main(int argc, char** argv) {
  try {
    const std::span words(argv, static_cast<std::size_t>(argc));
    bench::run_cases(bench::parse_command_line(words.subspan(1)));
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << argv[0] << ": " << wrong.what() << "\n";
    return 2;
  }
}

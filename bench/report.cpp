// Writes docs/benchmarks.md from the JSON lines of a run: bench_report RESULTS.jsonl PAGE.md
// The page's text up to the marker line stays; the table after it is replaced.

#include "results_table.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view marker = "<!-- results: written by scripts/bench --update-docs -->";

int write_page(const char* results, const char* file) {
  std::ifstream lines(results);
  const auto table = bench::results_table(lines);
  std::string page;
  {
    std::ifstream in(file);
    page.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto at = page.find(marker);
  if (at == std::string::npos) {
    std::cerr << file << ": no line '" << marker << "'\n";
    return 1;
  }
  page.resize(at + marker.size());
  std::ofstream(file) << page << "\n\n" << table;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bench_report RESULTS.jsonl PAGE.md\n";
    return 2;
  }
  try {
    return write_page(argv[1], argv[2]);
  } catch (const std::exception& wrong) {
    std::cerr << "bench_report: " << wrong.what() << "; " << argv[2] << " stays as it is\n";
    return 1;
  }
}

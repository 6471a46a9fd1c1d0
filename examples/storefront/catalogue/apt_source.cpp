#include "catalogue/source.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace storefront {
namespace {

// A line beyond this is cut: no field that we keep is longer, and a broken index must not eat
// the machine's memory.
constexpr std::size_t max_line = 64 * 1024;

/// Reads lines from a pipe, each cut to max_line.
class line_reader {
 public:
  explicit line_reader(std::FILE* from) : from_(from) {}

  bool next(std::string& line) {
    line.clear();
    bool any = false;
    while (std::fgets(chunk_.data(), static_cast<int>(chunk_.size()), from_) != nullptr) {
      any = true;
      std::string_view text{chunk_.data()};
      bool complete = text.ends_with('\n');
      if (complete) text.remove_suffix(1);
      line.append(text.substr(0, max_line - line.size()));
      if (complete) return true;
    }
    return any;
  }

 private:
  std::FILE* from_;
  std::array<char, 8192> chunk_{};
};

}  // namespace

std::int64_t read_apt_index(const record_sink& sink) {
  // A fixed command line: nothing that anybody typed reaches the shell.
  std::FILE* pipe = ::popen("LC_ALL=C apt-cache dumpavail 2>/dev/null", "re");
  if (pipe == nullptr) return 0;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> closer(pipe, &::pclose);

  std::int64_t records = 0;
  record_parser parser;
  auto deliver = [&](std::optional<package_record> record) {
    if (!record) return;
    ++records;
    sink(std::move(*record));
  };
  line_reader reader(pipe);
  for (std::string line; reader.next(line);) deliver(parser.feed(line));
  deliver(parser.finish());

  int status = ::pclose(closer.release());
  if (status != 0 && records > 0) {
    throw std::runtime_error("apt-cache dumpavail failed after " + std::to_string(records) +
                             " records (wait status " + std::to_string(status) + ")");
  }
  return records;
}

}  // namespace storefront

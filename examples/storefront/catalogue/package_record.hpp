#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storefront {

/// One entry of a Debian package index: what a supplier of ours would call a product sheet.
struct package_record {
  std::string name;
  std::string version;
  std::string section;
  std::string maintainer;
  std::string description;
  std::int64_t installed_kib = 0;
  std::int64_t download_bytes = 0;
  /// Names only: versions stripped, of alternatives the first.
  std::vector<std::string> depends;
};

/// Turns the lines of a package index into records. Does no I/O: a test feeds it a string.
///
/// The index is outside input, so everything that is kept is bounded; what exceeds a bound is cut.
class record_parser {
 public:
  static constexpr std::size_t max_description = 4096;
  static constexpr std::size_t max_depends = 64;

  /// Feeds one line, without its newline. Returns a record when this line ended one.
  std::optional<package_record> feed(std::string_view line);

  /// The last record of an input that does not end in a blank line.
  std::optional<package_record> finish();

 private:
  void field(std::string_view name, std::string_view value);

  package_record current_;
  bool in_description_ = false;
};

/// The package names in a Depends field: "libc6 (>= 2.34), a | b" gives libc6 and a.
std::vector<std::string> parse_depends(std::string_view field);

}  // namespace storefront

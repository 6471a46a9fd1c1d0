#pragma once

#include <filesystem>
#include <string>

namespace storefront {

/// What is in `file`: 16 to 1024 bytes, and maybe a newline after them. Throws
/// std::invalid_argument, naming the file and never its content, when it is anything else.
std::string read_secret(const std::filesystem::path& file);

/// The same, of a file that is made when there is none: a random secret that only its owner may
/// read. Processes that start at the same time get the same one. Throws std::system_error too.
std::string read_or_make_secret(const std::filesystem::path& file);

}  // namespace storefront

#include "command_line.hpp"

#include "outcome.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace bench {
namespace {

int number(std::string_view text) {
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || at != end || value < 1) {
    throw std::invalid_argument("--runs is \"" + std::string(text) + "\"; legal: 1 and more");
  }
  return value;
}

}  // namespace

bool command_line::wants(std::string_view name) const {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& begin) {
           return name.starts_with(begin);
         });
}

command_line parse_command_line(std::span<char* const> arguments) {
  command_line wanted;
  bool quick = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    auto value = [&] {
      if (i + 1 == arguments.size()) {
        throw std::invalid_argument(std::string(word) + " needs a value");
      }
      return std::string(arguments[++i]);
    };
    if (word == "--out") {
      wanted.out = value();
    } else if (word == "--runs") {
      wanted.runs = number(value());
    } else if (word == "--traces") {
      wanted.traces = value();
    } else if (word == "--quick") {
      quick = true;
    } else if (word == "--list") {
      wanted.only_list = true;
    } else if (word.starts_with("--")) {
      throw std::invalid_argument("unknown option " + std::string(word));
    } else {
      wanted.names.emplace_back(word);
    }
  }
  if (quick && !wanted.runs) wanted.runs = 1;
  if (!quick && wanted.runs && *wanted.runs < least_runs) {
    throw std::invalid_argument(
        "--runs is " + std::to_string(*wanted.runs) +
        ": the median of so few says little; legal: " + std::to_string(least_runs) +
        " and more, or --quick for a look that is marked as one");
  }
  return wanted;
}

}  // namespace bench

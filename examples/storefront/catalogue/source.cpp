#include "catalogue/source.hpp"

#include <charconv>
#include <stdexcept>
#include <string>

namespace storefront {

catalogue_choice parse_catalogue_choice(std::string_view text) {
  using enum catalogue_choice::kind;
  catalogue_choice choice;
  if (text == "auto") return choice;
  if (text == "apt") {
    choice.from = apt;
    return choice;
  }
  constexpr std::string_view generated_name = "generated";
  if (text.starts_with(generated_name)) {
    choice.from = generated;
    text.remove_prefix(generated_name.size());
    if (text.empty()) return choice;
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data() + 1, end, choice.count);
    bool whole = text.front() == ':' && error == std::errc{} && stop == end;
    if (whole && choice.count >= 1 && choice.count <= 1'000'000) return choice;
  }
  throw std::invalid_argument(
      "--catalogue: legal are auto, apt, generated and generated:N with N from 1 to 1000000");
}

}  // namespace storefront

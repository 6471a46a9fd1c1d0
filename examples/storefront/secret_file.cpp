#include "secret_file.hpp"

#include "data_dir.hpp"

#include <fstream>
#include <random>
#include <stdexcept>
#include <string_view>

namespace storefront {
namespace {

constexpr std::size_t least = 16;
constexpr std::size_t most = 1024;

std::string random_digits(std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device entropy;
  std::string text;
  while (text.size() < count) text += digits[entropy() % digits.size()];
  return text;
}

}  // namespace

std::string read_secret(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::invalid_argument("cannot read the secret in " + file.string());
  std::string secret(most + 2, '\0');
  in.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  secret.resize(static_cast<std::size_t>(in.gcount()));
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.size() < least || secret.size() > most) {
    throw std::invalid_argument("the secret in " + file.string() + " must have " +
                                std::to_string(least) + " to " + std::to_string(most) + " bytes");
  }
  return secret;
}

std::string read_or_make_secret(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    write_once(file, random_digits(16), random_digits(64) + "\n");
  }
  return read_secret(file);
}

}  // namespace storefront

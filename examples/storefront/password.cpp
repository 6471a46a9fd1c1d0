#include "password.hpp"

#include <crypt.h>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>

namespace storefront {
namespace {

std::string crypt_or_throw(const std::string& password, const std::string& setting) {
  // Tens of kilobytes: not for the stack of a work thread.
  auto scratch = std::make_unique<crypt_data>();
  const char* hash = ::crypt_r(password.c_str(), setting.c_str(), scratch.get());
  if (hash == nullptr || hash[0] == '*') throw std::runtime_error("crypt(3) refused a password");
  return hash;
}

std::string random_salt() {
  constexpr std::string_view alphabet =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::random_device entropy;
  std::string salt;
  for (int i = 0; i < 16; ++i) salt += alphabet[entropy() % alphabet.size()];
  return salt;
}

bool equal_in_constant_time(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= unsigned{static_cast<unsigned char>(a[i])} ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

std::string hash_password(const std::string& password) {
  return crypt_or_throw(password, "$6$rounds=1000$" + random_salt());
}

bool verify_password(const std::string& password, const std::string& hash) {
  // A hash begins with its own setting: crypt takes method, rounds and salt from it.
  return equal_in_constant_time(crypt_or_throw(password, hash), hash);
}

const std::string& hash_of_nobody() {
  static const std::string hash = hash_password(random_salt() + random_salt());
  return hash;
}

}  // namespace storefront

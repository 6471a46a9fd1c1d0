#pragma once

#include <string>
#include <string_view>

namespace storefront {

/// A salted hash of a password, for the database: crypt(3) with SHA-512, as /etc/shadow has it.
///
/// The work factor is the least that the method knows, so that a demo on two cores measures the
/// shop and not the hash. Give a real shop yescrypt or Argon2, and a tenth of a second.
std::string hash_password(const std::string& password);

/// Takes the same time whether the hash matches or not.
bool verify_password(const std::string& password, const std::string& hash);

/// A well-formed hash that no password has: verify against it when there is no such account, so
/// that the time of the answer does not tell which accounts exist.
const std::string& hash_of_nobody();

}  // namespace storefront

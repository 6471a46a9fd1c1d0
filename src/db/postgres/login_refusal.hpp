#pragma once

#include <string>
#include <string_view>

// Why a server does not let somebody in. libpq keeps no SQLSTATE of that; in its text it stands
// where it was asked to be verbose. The words are in the server's own language; libpq's, around
// them, in English, since dial() asks for that.

namespace scalekit::db::postgres {

struct login_refusal {
  /// Of the server that answered last: a name may have several addresses, and each is asked with
  /// TLS and without. Empty: none has answered.
  std::string state;
  /// For people.
  std::string text;
};

/// Reads what libpq says of a failed login with PQERRORS_VERBOSE.
login_refusal refusal_in(std::string_view verbose);

/// Whether a refusal with this SQLSTATE is the same the next time: a wrong password, no access, no
/// such database, settings that are not to be.
bool is_hopeless_login(std::string_view sqlstate) noexcept;

}  // namespace scalekit::db::postgres

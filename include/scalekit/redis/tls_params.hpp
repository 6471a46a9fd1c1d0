#pragma once

#include <string>

namespace scalekit::redis {

/// How a connection by `rediss://` is protected: TLS 1.2 or newer. In a URL: `tls.ca_file=...`.
struct tls_params {
  /// Of who may vouch for the server, as PEM. Default empty: those that the system trusts.
  std::string ca_file = {};

  /// Whose certificate it must be. Default empty: the URL's host.
  std::string server_name = {};

  /// Default true. False takes any certificate: what is said is then hidden from who only listens,
  /// and from nobody else.
  bool verify = true;

  /// The client's own, as PEM, for servers that ask for one; both or neither. Default neither.
  std::string certificate_file = {};
  std::string key_file = {};
};

}  // namespace scalekit::redis

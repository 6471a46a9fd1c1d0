#pragma once

#include "scalekit/redis/tls_params.hpp"

#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace scalekit::redis::detail {

/// What all TLS connections of a client have in common.
///
/// Thread safety: const members may be called from any thread.
class tls_context {
 public:
  /// Throws std::invalid_argument for files that cannot be used, naming the setting.
  explicit tls_context(const tls_params& params);

  ssl_ctx_st* get() const noexcept { return context_.get(); }
  /// Who the certificate of a server at `host` must be for.
  const std::string& name_for(const std::string& host) const noexcept {
    return server_name_.empty() ? host : server_name_;
  }
  bool verifies() const noexcept { return verifies_; }

 private:
  struct closer {
    void operator()(ssl_ctx_st* c) const noexcept;
  };
  std::unique_ptr<ssl_ctx_st, closer> context_;
  std::string server_name_;
  bool verifies_;
};

/// The client's side of one TLS connection, without I/O: bytes in, bytes out.
///
/// Thread safety: one thread at a time.
class tls_session {
 public:
  /// With a server at `host`.
  tls_session(const tls_context& in, const std::string& host);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  /// To be sent, once the other side has shown who it is.
  void put(std::string_view plain);

  /// Takes what has come over the network, and appends what it says to `plain`. False: the
  /// connection is of no use; why() says why.
  bool take(std::string_view cipher, std::string& plain);

  /// What is to be sent over the network next; the caller takes it out.
  std::string& outbox() noexcept { return out_; }
  const std::string& why() const noexcept { return why_; }

 private:
  struct closer {
    void operator()(ssl_st* s) const noexcept;
  };

  bool advance();
  bool fail(int returned);

  std::unique_ptr<ssl_st, closer> ssl_;
  /// Plain text that waits for the handshake.
  std::string pending_;
  std::string out_;
  std::string why_;
};

}  // namespace scalekit::redis::detail

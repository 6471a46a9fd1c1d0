#include "redis/tls_session.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <new>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace scalekit::redis::detail {
namespace {

/// The last reason in OpenSSL's queue of this thread, which is empty then.
std::string openssl_reason() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

[[noreturn]] void refuse(const char* setting, const std::string& value) {
  throw std::invalid_argument(std::string("client_params.tls.") + setting + " is \"" + value +
                              "\", which cannot be used: " + openssl_reason());
}

bool is_address(const std::string& host) {
  boost::system::error_code is_name;
  boost::asio::ip::make_address(host, is_name);
  return !is_name;
}

}  // namespace

void tls_context::closer::operator()(ssl_ctx_st* c) const noexcept {
  SSL_CTX_free(c);
}

tls_context::tls_context(const tls_params& params)
    : context_(SSL_CTX_new(TLS_client_method())),
      server_name_(params.server_name),
      verifies_(params.verify) {
  if (!context_) throw std::bad_alloc();
  auto* c = context_.get();
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(c, verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!params.ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(c, params.ca_file.c_str(), nullptr) != 1) {
      refuse("ca_file", params.ca_file);
    }
  } else {
    SSL_CTX_set_default_verify_paths(c);
  }
  if (params.certificate_file.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(c, params.certificate_file.c_str()) != 1) {
    refuse("certificate_file", params.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(c, params.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(c) != 1) {
    refuse("key_file", params.key_file);
  }
}

void tls_session::closer::operator()(ssl_st* s) const noexcept {
  SSL_free(s);
}

tls_session::tls_session(const tls_context& in, const std::string& host) : ssl_(SSL_new(in.get())) {
  auto* network_in = BIO_new(BIO_s_mem());
  auto* network_out = BIO_new(BIO_s_mem());
  if (!ssl_ || network_in == nullptr || network_out == nullptr) {
    BIO_free(network_in);
    BIO_free(network_out);
    throw std::bad_alloc();
  }
  SSL_set_bio(ssl_.get(), network_in, network_out);
  SSL_set_connect_state(ssl_.get());
  const auto& name = in.name_for(host);
  const bool by_address = is_address(name);
  if (!by_address) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  if (!in.verifies()) return;
  if (by_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str());
  } else {
    SSL_set1_host(ssl_.get(), name.c_str());
  }
}

tls_session::~tls_session() = default;

void tls_session::put(std::string_view plain) {
  pending_ += plain;
  // Where it fails, what comes next will say so.
  advance();
}

bool tls_session::take(std::string_view cipher, std::string& plain) {
  ERR_clear_error();
  while (!cipher.empty()) {
    const int n =
        BIO_write(SSL_get_rbio(ssl_.get()), cipher.data(), static_cast<int>(cipher.size()));
    if (n <= 0) throw std::bad_alloc();
    cipher.remove_prefix(static_cast<std::size_t>(n));
  }
  if (!advance()) return false;
  if (SSL_is_init_finished(ssl_.get()) == 0) return true;
  std::array<char, 16384> buffer;
  for (;;) {
    const int n = SSL_read(ssl_.get(), buffer.data(), buffer.size());
    if (n <= 0) return fail(n) && advance();
    plain.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

/// Goes on with the handshake, then sends what waits; collects what is to go over the network.
bool tls_session::advance() {
  ERR_clear_error();
  auto* s = ssl_.get();
  bool is_well = true;
  if (SSL_is_init_finished(s) == 0) {
    const int done = SSL_do_handshake(s);
    is_well = done == 1 || fail(done);
  }
  std::size_t at = 0;
  while (is_well && SSL_is_init_finished(s) != 0 && at < pending_.size()) {
    std::size_t n = 0;
    const int done = SSL_write_ex(s, pending_.data() + at, pending_.size() - at, &n);
    if (done != 1) {
      is_well = fail(done);
      break;
    }
    at += n;
  }
  pending_.erase(0, at);
  auto* network_out = SSL_get_wbio(s);
  if (const auto size = BIO_ctrl_pending(network_out); size > 0) {
    const auto before = out_.size();
    out_.resize(before + size);
    BIO_read(network_out, out_.data() + before, static_cast<int>(size));
  }
  return is_well;
}

/// False: it is not only that more has to come.
bool tls_session::fail(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return true;
    case SSL_ERROR_ZERO_RETURN:
      why_ = "the server closed the connection";
      return false;
    default:
      break;
  }
  const auto verdict = SSL_get_verify_result(ssl_.get());
  why_ = verdict == X509_V_OK ? "TLS failed: " + openssl_reason()
                              : std::string("TLS: its certificate was refused: ") +
                                    X509_verify_cert_error_string(verdict);
  ERR_clear_error();
  return false;
}

}  // namespace scalekit::redis::detail

#include "redis/tls_session.hpp"

#include <stdexcept>

// In place of tls_session.cpp where scalekit is built without OpenSSL.

namespace scalekit::redis::detail {

void tls_context::closer::operator()(ssl_ctx_st*) const noexcept {}

tls_context::tls_context(const tls_params&) : verifies_(true) {
  throw std::invalid_argument("rediss: scalekit was built without TLS (SCALEKIT_WITH_TLS)");
}

void tls_session::closer::operator()(ssl_st*) const noexcept {}

tls_session::tls_session(const tls_context&, const std::string&) {}
tls_session::~tls_session() = default;
void tls_session::put(std::string_view) {}
bool tls_session::take(std::string_view, std::string&) {
  return false;
}

}  // namespace scalekit::redis::detail

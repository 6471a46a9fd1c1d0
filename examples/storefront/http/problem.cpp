#include "http/problem.hpp"

#include <boost/json/serialize.hpp>

namespace storefront {
namespace {

problem unavailable(std::string kind, std::string detail, std::string retry_after_seconds) {
  return problem(503, std::move(kind), std::move(detail))
      .with_headers({{"Retry-After", std::move(retry_after_seconds)}});
}

}  // namespace

problem::problem(int status, std::string kind, std::string detail)
    : status_(status), kind_(std::move(kind)), detail_(std::move(detail)) {}

problem problem::with(std::string_view member, boost::json::value value) && {
  members_[member] = std::move(value);
  return std::move(*this);
}

problem problem::with_headers(scalekit::http::headers headers) && {
  headers_ = std::move(headers);
  return std::move(*this);
}

response problem::to_response() const {
  boost::json::object document;
  document["type"] = "/problems/" + kind_;
  document["status"] = status_;
  document["detail"] = detail_;
  for (const auto& [name, value] : members_) document[name] = value;
  return {.status = status_,
          .body = boost::json::serialize(document),
          .content_type = "application/problem+json",
          .headers = headers_};
}

problem bad_request(std::string detail) {
  return {400, "bad-request", std::move(detail)};
}
problem not_found(std::string detail) {
  return {404, "not-found", std::move(detail)};
}

bool is_storage_failure(const boost::system::error_code& code) {
  using scalekit::errc;
  // SQLite tells some of what a full disk does to it as an input/output error.
  return code == errc::disk_full || code == errc::read_only || code == errc::unavailable ||
         code == errc::corrupt || code == errc::io_error;
}

problem to_problem(const scalekit::error& failure) {
  using scalekit::errc;
  const auto& code = failure.code();
  if (is_storage_failure(code)) {
    return unavailable("storage", "the shop cannot store or find that right now", "10");
  }
  if (code == errc::closed) {
    return unavailable("stopping", "the shop is closing", "5");
  }
  if (code == errc::value_out_of_range) return bad_request("a value is not one that can be stored");
  // Conflicts, timeouts, shedding: the same request may succeed in a moment.
  if (scalekit::is_transient(code)) {
    return unavailable("busy", "the shop is busy; try again", "1");
  }
  return {500, "internal", "something went wrong on our side"};
}

}  // namespace storefront

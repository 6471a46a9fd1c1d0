#pragma once

#include "http/message.hpp"

#include <scalekit/core/error.hpp>

#include <boost/json/object.hpp>

#include <exception>
#include <string>

namespace storefront {

/// A request that is answered with an error: an RFC 9457 problem document. Handlers throw it.
///
/// `detail` is for the person who calls; it never holds SQL, a path of this machine or the text
/// of an exception.
class problem : public std::exception {
 public:
  problem(int status, std::string kind, std::string detail);

  const char* what() const noexcept override { return detail_.c_str(); }
  int status() const { return status_; }

  /// A further member of the document.
  problem with(std::string_view member, boost::json::value value) &&;
  problem with_headers(scalekit::http::headers headers) &&;

  response to_response() const;

 private:
  int status_;
  std::string kind_;
  std::string detail_;
  boost::json::object members_;
  scalekit::http::headers headers_;
};

problem bad_request(std::string detail);
problem not_found(std::string detail);

/// True when the disk or the server that the shop is kept on does not do its part.
bool is_storage_failure(const boost::system::error_code& code);

/// What a failure of the library means to a customer: overload, timeouts and failing
/// storage are 503 with Retry-After, everything that is our own fault is a 500 that says nothing.
problem to_problem(const scalekit::error& failure);

}  // namespace storefront

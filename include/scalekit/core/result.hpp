#pragma once

#include "scalekit/core/error.hpp"

#include <boost/system/result.hpp>

namespace scalekit {

/// A value, or the error that prevented it. value() throws the error.
template <class T>
using result = boost::system::result<T, error>;

/// Found by boost::system::result::value().
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw e;
}

}  // namespace scalekit

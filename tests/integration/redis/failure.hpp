#pragma once

#include "scalekit/core/error.hpp"
#include "support/throws_errc.hpp"

#include <future>
#include <utility>

namespace redis_tests {

/// The error that `call` throws; where it throws none, the test fails.
template <class Call>
scalekit::error failure_of(Call&& call) {
  return support::error_of(std::forward<Call>(call));
}

template <class T>
scalekit::error failure_of(std::future<T> pending) {
  return failure_of([&] { return pending.get(); });
}

}  // namespace redis_tests

#pragma once

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <utility>

namespace scalekit::detail {

/// Posts from a thread that is not the loop's: the loop has work until this has let go of it, and
/// so does not end by itself, to be destroyed by its owner, while this still wakes it.
template <class Executor, class Task>
void post_from_outside(const Executor& to, Task&& task) {
  using never = boost::asio::execution::blocking_t::never_t;
  const auto working = boost::asio::prefer(to, boost::asio::execution::outstanding_work.tracked);
  if constexpr (boost::asio::can_require<Executor, never>::value) {
    boost::asio::post(working, std::forward<Task>(task));
  } else {
    // That of an any_completion_handler has nothing else.
    boost::asio::dispatch(working, std::forward<Task>(task));
  }
}

}  // namespace scalekit::detail

#pragma once

#include "db/postgres/backend.hpp"
#include "db/postgres/second_chance.hpp"

#include <exception>
#include <memory>
#include <source_location>
#include <stop_token>

namespace scalekit::db::postgres {

/// The beginning of a transaction without a thread of its caller's: its host, its connection, then
/// a thread for its body. Lives until one of the two answers of its call.
class async_begin : public std::enable_shared_from_this<async_begin> {
 public:
  async_begin(std::shared_ptr<backend> owner, transaction_options options,
              const std::source_location& site,
              std::shared_ptr<detail::async_transaction_call> call);

  void start();

 private:
  void have_host(std::exception_ptr e, destination to);
  void have_connection(std::exception_ptr e, lent_connection lent);
  /// On a thread of its own. Keeps nothing of the client once the call is answered.
  static void begin(std::shared_ptr<async_begin> self);
  std::unique_ptr<detail::transaction_backend> begun();
  /// Begins anew where that may help.
  void failed(std::exception_ptr e);
  bool may_try_again(const std::exception_ptr& e);

  const std::shared_ptr<backend> backend_;
  const transaction_options options_;
  const call_options as_read_;
  const std::source_location site_;
  const std::shared_ptr<detail::async_transaction_call> call_;
  const std::stop_token also_stop_;
  const detail::access kind_;
  detail::call_frame frame_;
  second_chance chance_;
  destination to_;
  lent_connection lent_;
};

}  // namespace scalekit::db::postgres

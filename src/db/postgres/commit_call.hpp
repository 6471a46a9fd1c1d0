#pragma once

#include "db/postgres/conversation.hpp"
#include "db/postgres/token_query.hpp"
#include "scalekit/db/causal_token.hpp"

#include <source_location>

namespace scalekit::db::postgres {

/// The commit of a transaction, and where in the log it is when something was written. Throws
/// errc::conflict when the server rolled back instead.
class commit_call final : public conversation {
 public:
  commit_call(bool wrote, std::source_location site) : wrote_(wrote), site_(site) {}

  bool advance(connection& c) override;

  const causal_token& token() const noexcept { return token_; }

 private:
  bool wrote_;
  std::source_location site_;
  exchange_ptr commit_;
  token_query position_;
  causal_token token_;
};

}  // namespace scalekit::db::postgres

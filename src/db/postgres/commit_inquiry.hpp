#pragma once

#include "db/postgres/conversation.hpp"
#include "db/postgres/server_identity.hpp"
#include "db/postgres/token_query.hpp"
#include "scalekit/db/causal_token.hpp"

#include <cstdint>
#include <string>

namespace scalekit::db::postgres {

/// What a server says of a transaction whose commit was not answered.
enum class commit_fate {
  committed,
  rolled_back,
  /// It has not ended yet: ask again.
  in_progress,
  /// Another history than the one it was in, or a crash since, so that its id may be somebody
  /// else's; or forgotten.
  unknown,
};

/// `status` is what pg_xact_status() answered; empty for null.
commit_fate fate_of(const std::string& status, const server_identity& before,
                    const server_identity& now) noexcept;

/// Asks a server, on a connection that may write, what became of transaction `xid`, which was begun
/// on the server `before`.
class commit_inquiry final : public conversation {
 public:
  commit_inquiry(std::uint64_t xid, server_identity before);

  bool advance(connection& c) override;

  commit_fate fate() const noexcept { return fate_; }
  /// Of the commit or later; empty unless it was committed.
  const causal_token& token() const noexcept { return token_; }

 private:
  enum class step { start, asked, confirmed };

  std::string text_;
  server_identity before_;
  step step_ = step::start;
  exchange_ptr status_, barrier_;
  token_query position_;
  commit_fate fate_ = commit_fate::unknown;
  causal_token token_;
};

}  // namespace scalekit::db::postgres

#include "db/postgres/commit_inquiry.hpp"

#include "db/postgres/own_exchange.hpp"

namespace scalekit::db::postgres {
namespace {

// With synchronous replication a commit may be there without having reached a replica: the server
// gives up waiting when its client is gone. A later commit with something in the log waits for all
// before it.
constexpr const char* barrier_text = "select pg_logical_emit_message(true, 'scalekit', '')";

std::string text_of(const exchange& e) {
  const auto* r = e.result.get();
  if (e.end != exchange::ending::done || PQntuples(r) != 1 || PQgetisnull(r, 0, 0) != 0) return {};
  return {PQgetvalue(r, 0, 0), static_cast<std::size_t>(PQgetlength(r, 0, 0))};
}

}  // namespace

commit_fate fate_of(const std::string& status, const server_identity& before,
                    const server_identity& now) noexcept {
  if (!before.is_same_history(now)) return commit_fate::unknown;
  // After a crash the id may have been given to another: that one has committed, or this one. An
  // id that was given again, or never came to an end, has not.
  if (status == "committed") {
    return now.has_crashed_since(before) ? commit_fate::unknown : commit_fate::committed;
  }
  if (status == "aborted") return commit_fate::rolled_back;
  if (status == "in progress") return commit_fate::in_progress;
  return commit_fate::unknown;
}

commit_inquiry::commit_inquiry(std::uint64_t xid, server_identity before)
    : text_("select pg_xact_status('" + std::to_string(xid) + "'::xid8)"), before_(before) {}

bool commit_inquiry::advance(connection& c) {
  switch (step_) {
    case step::start:
      if (c.read_only) {
        send_own(c, "set default_transaction_read_only = off");
        c.read_only.reset();
      }
      position_.learn_identity(c);
      status_ = send_own(c, text_.c_str());
      step_ = step::asked;
      return true;
    case step::asked:
      position_.read(c);
      fate_ = fate_of(text_of(*status_), before_, c.identity);
      if (fate_ != commit_fate::committed) return false;
      barrier_ = send_own(c, barrier_text);
      position_.send(c);
      step_ = step::confirmed;
      return true;
    case step::confirmed:
      if (barrier_->end != exchange::ending::done) {
        fate_ = commit_fate::unknown;
        return false;
      }
      token_ = position_.read(c);
      return false;
  }
  return false;
}

}  // namespace scalekit::db::postgres

#include "db/postgres/commit_call.hpp"

#include "db/call_site.hpp"
#include "db/postgres/reply.hpp"

#include <memory>
#include <string_view>

namespace scalekit::db::postgres {

bool commit_call::advance(connection& c) {
  if (!commit_) {
    commit_ = std::make_shared<exchange>();
    commit_->text = "commit";
    // Before the commit: of the session that makes it.
    // Behind a pooler it was learnt at the begin.
    if (wrote_ && !c.through_pooler) position_.learn_identity(c);
    c.wire->send(commit_);
    c.wire->sync();
    if (wrote_) position_.send(c);
    return true;
  }
  if (commit_->end != exchange::ending::done) {
    throw error_of(*commit_, site_, c.wire->origin(), wrote_);
  }
  if (std::string_view(PQcmdStatus(commit_->result.get())) != "COMMIT") {
    throw error(errc::conflict, detail::describe(site_) +
                                    ": a statement of the transaction had failed, so the server "
                                    "rolled it back instead of committing it");
  }
  if (wrote_) token_ = position_.read(c);
  return false;
}

}  // namespace scalekit::db::postgres

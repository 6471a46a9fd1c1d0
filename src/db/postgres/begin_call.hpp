#pragma once

#include "db/postgres/own_exchange.hpp"
#include "db/postgres/reply.hpp"
#include "db/postgres/token_query.hpp"

#include <source_location>
#include <string>
#include <utility>

namespace scalekit::db::postgres {

/// The begin of a transaction. Of one that may write it learns first, outside the transaction,
/// which a failure would abort, whose history it writes to: that is needed when its commit is lost.
class begin_call final : public conversation {
 public:
  begin_call(std::string text, bool may_write, std::source_location site)
      : text_(std::move(text)), may_write_(may_write), site_(site) {}

  bool advance(connection& c) override {
    if (!begin_) {
      if (may_write_) identity_.learn_identity(c);
      begin_ = send_own(c, text_.c_str());
      return true;
    }
    if (may_write_) identity_.read(c);
    if (begin_->end != exchange::ending::done) {
      throw error_of(*begin_, site_, c.wire->origin(), false);
    }
    return false;
  }

 private:
  std::string text_;
  bool may_write_;
  std::source_location site_;
  token_query identity_;
  exchange_ptr begin_;
};

}  // namespace scalekit::db::postgres

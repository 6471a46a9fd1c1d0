#pragma once

#include "db/postgres/conversation.hpp"
#include "db/postgres/reply.hpp"

#include <initializer_list>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

/// Statements of our own, sent together, each a group of its own: begin, commit, savepoints.
class own_call final : public conversation {
 public:
  own_call(std::initializer_list<std::string> texts, std::source_location site)
      : texts_(texts), site_(site) {}

  bool advance(connection& c) override {
    if (sent_.empty()) {
      for (const auto& text : texts_) {
        auto& e = sent_.emplace_back(std::make_shared<exchange>());
        e->text = text.c_str();
        c.wire->send(e);
        c.wire->sync();
      }
      return true;
    }
    for (const auto& e : sent_) {
      if (e->end != exchange::ending::done) throw error_of(*e, site_, c.wire->origin(), false);
    }
    return false;
  }

  /// Once it is over: the answers, in the order of the texts.
  const std::vector<exchange_ptr>& answers() const noexcept { return sent_; }

 private:
  std::vector<std::string> texts_;
  std::source_location site_;
  std::vector<exchange_ptr> sent_;
};

}  // namespace scalekit::db::postgres

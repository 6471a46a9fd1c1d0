#pragma once

#include "db/postgres/connection.hpp"
#include "scalekit/db/causal_token.hpp"

namespace scalekit::db::postgres {

/// The position of a commit in the write-ahead log: asked for right behind it, on the connection
/// that made it.
class token_query {
 public:
  /// Sends the question whose history the session writes to, if that is not known yet. Behind a
  /// pooler it is not: it may have turned to another server.
  void learn_identity(connection& c);

  /// Sends the question for the position.
  void send(connection& c);

  /// What was answered; empty where something was not.
  causal_token read(connection& c);

 private:
  exchange_ptr identity_, position_;
};

}  // namespace scalekit::db::postgres

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/causal_token.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace scalekit::db {
namespace postgres {
class router;
}

/// What one user has written, so that the user's later reads see it: also in another request, in
/// another process.
///
///     db::session visitor(cookie);
///     shop.write(sql("..."), {.session = visitor});
///     shop.read<row>(sql("..."), {.session = visitor});
///     set_cookie(visitor.token());
///
/// A handle: copies are the same session.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT session {
 public:
  /// Has written nothing yet.
  session();

  /// Goes on where `token` was taken; an empty one is a new session. Throws
  /// errc::invalid_argument for what is no token.
  explicit session(std::string_view token);

  /// The newest write that it knows; empty for none.
  std::string token() const;
  causal_token newest() const;

  /// Adds a write: what write_result::token() gave here or elsewhere. Throws
  /// errc::invalid_argument for what is no token, or one of another database than those before.
  void observe(std::string_view token);
  void observe(const causal_token& token);

 private:
  friend class postgres::router;
  struct state;

  /// A write of it was acknowledged, and its position is not known.
  void miss();
  bool misses_one() const;
  /// `token` covers what was missed.
  void make_up(const causal_token& token);

  std::shared_ptr<state> state_;
};

}  // namespace scalekit::db

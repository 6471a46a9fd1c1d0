#pragma once

#include "http/message.hpp"

#include <scalekit/db/options.hpp>

namespace storefront {

// A note for whoever writes coroutines with gcc 12: it moves some temporaries of an expression
// with co_await in it byte by byte, which a short std::string does not survive. Lambdas with
// captures and braced aggregates are among them. So in these pages such a thing is a variable,
// or comes from a function like this one.

/// Hands the request's scope down to the database: how the tracker knows which request asked.
inline scalekit::db::call_options asked_by(const request& incoming) {
  return {.scope = incoming.scope};
}

/// For pages on which half a second does not matter: any replica that keeps up may answer.
/// Everything else is read as this program has last written it.
inline scalekit::db::call_options for_browsing(const scalekit::request_scope& scope) {
  return {.scope = scope, .consistency = scalekit::db::consistency::any()};
}

}  // namespace storefront

#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace scalekit::db {

/// Who logs in to a PostgreSQL server. What is empty is as the URL, its service and the password
/// file say.
struct credentials {
  std::string user = {};
  std::string password = {};
};

/// Gives the credentials of one connection, which is about to be opened to `server`
/// ("10.0.0.1:5432", as errors and statistics call it): for passwords that change, and tokens that
/// expire. Connections that are open stay.
///
/// It is called on the thread that opens the connection, several at the same time where there are
/// several, and not interrupted: it may block, for less than pool_params::create_timeout, since
/// whoever closes the client waits for it. When it throws, that attempt has failed, with its what()
/// in the error and in the log; it is asked again for the next. What it returns is never shown.
using credentials_source = std::function<credentials(std::string_view server)>;

}  // namespace scalekit::db

#include "db/postgres/fit.hpp"

#include "db/call_site.hpp"

namespace scalekit::db::postgres {

misrouted misrouted_by(misfit what, const connection& c, const std::source_location& site) {
  const auto& server = c.wire->origin();
  return {{make_error_code(errc::unavailable),
           {detail::describe(site) + ": " +
                (what == misfit::standby ? server + ", taken for the primary, is a standby by now"
                                         : "the connection is newer than what is known of " +
                                               server + ", which may have restarted"),
            {},
            {},
            server}}};
}

}  // namespace scalekit::db::postgres

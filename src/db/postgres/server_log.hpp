#pragma once

#include "db/topology/host_spec.hpp"
#include "scalekit/core/log.hpp"

#include <string>
#include <string_view>

namespace scalekit::db::postgres {

/// Logs an event of one server, which OpenTelemetry's names tell: server.address, server.port.
inline void log_of_server(const log_sink& log, log_level level, std::string_view event,
                          std::string_view message, const detail::host_spec& server) {
  log(level, event, message,
      {{"server.address", server.host}, {"server.port", std::to_string(server.port)}});
}

}  // namespace scalekit::db::postgres

#include "redis/site.hpp"

namespace scalekit::redis::detail {

const error& counters::count(const error& e) noexcept {
  failed.add();
  switch (static_cast<errc>(e.code().value())) {
    case errc::shed:
      shed.add();
      break;
    case errc::acquire_timeout:
    case errc::execution_timeout:
      timeouts.add();
      break;
    case errc::cancelled:
      cancelled.add();
      break;
    case errc::commit_in_doubt:
      in_doubt.add();
      break;
    default:
      break;
  }
  return e;
}

void site::log(log_level level, std::string_view event, std::string_view message) const noexcept {
  if (!params.log.wants(level)) return;
  if (!where.path.empty()) {
    params.log(level, event, message, {{"server.address", where.path}});
    return;
  }
  const auto port = std::to_string(where.port);
  params.log(level, event, message, {{"server.address", where.host}, {"server.port", port}});
}

}  // namespace scalekit::redis::detail

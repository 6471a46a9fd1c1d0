#include "redis/site.hpp"

#include "redis/master_watch.hpp"

namespace scalekit::redis::detail {

site::site(target to, scalekit::execution e)
    : name(to.name()),
      where(std::move(to.where)),
      sentinels(std::move(to.sentinels)),
      params(std::move(to.params)),
      reads_replica(to.reads_replica),
      exec(std::move(e)) {
  if (to.is_protected) tls.emplace(params.tls);
  if (!sentinels.empty()) master = std::make_unique<master_watch>(*this);
}

site::~site() = default;

server_role site::wanted() const noexcept {
  if (master) return server_role::master;
  return reads_replica ? server_role::reading_replica : server_role::any;
}

void counters::tell_calls(client_statistics& to) const noexcept {
  to.calls = calls.value();
  to.failed = failed.value();
  to.refused = refused.value();
  to.shed = shed.value();
  to.timeouts = timeouts.value();
  to.cancelled = cancelled.value();
  to.in_doubt = in_doubt.value();
}

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

void site::log(log_level level, std::string_view event, std::string_view message,
               const place& at) const noexcept {
  if (!params.log.wants(level)) return;
  if (!at.path.empty()) {
    params.log(level, event, message, {{"server.address", at.path}});
    return;
  }
  const auto port = std::to_string(at.port);
  params.log(level, event, message, {{"server.address", at.host}, {"server.port", port}});
}

}  // namespace scalekit::redis::detail

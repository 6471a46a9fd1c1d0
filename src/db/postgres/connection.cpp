#include "db/postgres/connection.hpp"

#include "db/postgres/reactor_port.hpp"

#include <string_view>
#include <utility>

namespace scalekit::db::postgres {

connection::connection(connection_ptr conn, const std::string& origin, std::size_t statements)
    : through_pooler(statements == 0),
      wire(std::make_unique<link>(std::move(conn), origin, statements)) {}

connection::~connection() {
  // Closing the session, or the parent's place in its event loop, is not the child's business.
  if (!born.is_forked()) return;
  static_cast<void>(port.release());
  static_cast<void>(wire.release());
}

const exchange_ptr& connection::exchange_for(const statement_entry_ptr& entry) {
  if (!spare_ || spare_.use_count() > 1) spare_ = std::make_shared<exchange>();
  spare_->entry = entry;
  spare_->encoded_for = nullptr;
  return spare_;
}

std::optional<bool> connection::is_standby() const noexcept {
  const char* said = wire->parameter_status("in_hot_standby");
  return said == nullptr ? std::nullopt : std::optional(std::string_view(said) == "on");
}

}  // namespace scalekit::db::postgres

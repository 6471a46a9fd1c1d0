#include "database.hpp"

#include <boost/url/url.hpp>

#include <chrono>
#include <string>

namespace demo {

scalekit::db::client open_books(const shop_location& shop) {
  scalekit::db::client_params params;
  params.statement_timeout = std::chrono::seconds(30);
  if (shop.has_server()) return scalekit::db::client::open(shop.database, params);
  boost::urls::url url("sqlite://");
  url.set_path(std::filesystem::absolute(shop.dir / "shop.db").string());
  params.sqlite.mode = scalekit::db::sqlite_mode::read_only;
  return scalekit::db::client::open(std::string(url.buffer()), params);
}

}  // namespace demo

#include "database.hpp"

#include <boost/url/url.hpp>

#include <chrono>
#include <string>

namespace demo {

scalekit::db::client open_read_only(const std::filesystem::path& file) {
  boost::urls::url url("sqlite://");
  url.set_path(std::filesystem::absolute(file).string());
  scalekit::db::client_params params;
  params.statement_timeout = std::chrono::seconds(30);
  params.sqlite.mode = scalekit::db::sqlite_mode::read_only;
  return scalekit::db::client::open(std::string(url.buffer()), params);
}

}  // namespace demo

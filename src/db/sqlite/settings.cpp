#include "db/sqlite/settings.hpp"

#include "core/require.hpp"
#include "scalekit/db/client_settings.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace scalekit::db::sqlite {
namespace {

/// The URL as an error may show it: one meant for another database can hold a password.
std::string shown(std::string_view url) {
  if (url.find('@') == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, url.find(':'))) + ":***";
}

}  // namespace

settings settings_from_url(std::string_view url, client_params params) {
  using scalekit::detail::require;
  constexpr std::string_view legal =
      "sqlite:///absolute/path, sqlite:relative/path or sqlite::memory:, percent-encoded";
  auto parsed = boost::urls::parse_uri(url);
  require(parsed.has_value() && parsed->scheme() == "sqlite", "db URL", shown(url), legal);
  // sqlite://shop.db would be a host called shop.db.
  require(parsed->encoded_host().empty() && !parsed->has_userinfo() && !parsed->has_port(),
          "db URL", shown(url), legal);
  require(!parsed->has_fragment(), "db URL", shown(url),
          "no fragment; encode '#' in a path as %23");

  settings s{parsed->path(), std::move(params)};
  require(!s.path.empty() && s.path.find('\0') == std::string::npos && s.path != "/", "db URL",
          shown(url), legal);
  settings_origins origins;
  client_settings().set_from_query(s.params, std::string(parsed->encoded_query()), "the db URL",
                                   origins);
  client_settings().validate(s.params);
  return s;
}

}  // namespace scalekit::db::sqlite

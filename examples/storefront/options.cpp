#include "options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

namespace storefront {

std::optional<options> parse_command_line(int argc, char** argv) {
  options chosen;
  std::string catalogue = "auto";
  CLI::App app{"A wholesale shop over HTTP: the example application of scalekit."};
  app.add_option("--port", chosen.port, "TCP port on 127.0.0.1; 0 takes a free one")
      ->capture_default_str();
  app.add_option("--dir", chosen.dir,
                 "where database, cache, outbox, reports, backups and secret live")
      ->capture_default_str();
  app.add_option("--database", chosen.database,
                 "postgresql://HOST[:PORT][,HOST...]/DATABASE; default: a SQLite file in --dir");
  app.add_option("--cache", chosen.cache,
                 "redis://HOST or memcached://HOST: pages are kept there for several shops");
  app.add_option("--secret-file", chosen.secret_file,
                 "16 to 1024 bytes that sign page cursors; default: one in --dir that is made");
  std::map<std::string, serving_mode> modes{{"full", serving_mode::full},
                                            {"direct", serving_mode::direct}};
  app.add_option("--mode", chosen.mode, "full, or direct: no cache, jobs inside the request")
      ->transform(CLI::CheckedTransformer(modes));
  app.add_option("--catalogue", catalogue,
                 "auto, apt, generated or generated:N; read at the first start only")
      ->capture_default_str();
  app.add_option("--threads", chosen.threads, "event loops")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  std::map<std::string, bool> syncs{{"full", true}, {"normal", false}};
  app.add_option("--sync", chosen.sync_full,
                 "SQLite; full: acknowledged orders survive a power failure")
      ->transform(CLI::CheckedTransformer(syncs));
  app.add_option("--client-rate", chosen.client_rate, "requests a second for one client address")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& wrong) {
    throw std::invalid_argument(wrong.what());
  }
  chosen.catalogue = parse_catalogue_choice(catalogue);
  return chosen;
}

}  // namespace storefront

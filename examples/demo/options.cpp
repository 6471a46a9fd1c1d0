#include "options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <stdexcept>

namespace demo {

std::optional<options> parse_command_line(int argc, char** argv) {
  options chosen;
  std::int64_t seconds = chosen.phase.count();
  CLI::App app{"Puts the storefront under load in four runs, and checks that nothing was lost."};
  app.add_option("--storefront", chosen.storefront, "the server's program")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--dir", chosen.dir, "where the demo's shops live")->capture_default_str();
  app.add_option("--catalogue", chosen.catalogue, "auto, apt, generated or generated:N")
      ->capture_default_str();
  app.add_option("--seconds", seconds, "length of each measured run")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_option("--factor", chosen.factor, "load, as a multiple of the capacity without scalekit")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  app.add_option("--seed", chosen.seed, "of the load")->capture_default_str();
  app.add_flag("--postgres", chosen.postgres,
               "on a PostgreSQL primary and two replicas, which are started for it");
  bool redis = false, memcached = false;
  auto* with_redis =
      app.add_flag("--redis", redis, "with a Redis server for the cache, which is started for it");
  app.add_flag("--memcached", memcached, "the same with a memcached")->excludes(with_redis);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& wrong) {
    throw std::invalid_argument(wrong.what());
  }
  if (redis) chosen.cache = options::cache_kind::redis;
  if (memcached) chosen.cache = options::cache_kind::memcached;
  chosen.phase = std::chrono::seconds(seconds);
  // There the shop is held up by the machine, not by one writer, and the load comes from the same
  // machine.
  if (chosen.postgres && app.count("--factor") == 0) chosen.factor = 1.25;
  return chosen;
}

}  // namespace demo

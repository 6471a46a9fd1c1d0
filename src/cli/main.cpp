// The `scalekit` command: faces of library calls that a host can make itself.

#include "cli/commands.hpp"
#include "scalekit/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace {

std::string version() {
  return std::to_string(SCALEKIT_VERSION_MAJOR) + "." + std::to_string(SCALEKIT_VERSION_MINOR) +
         "." + std::to_string(SCALEKIT_VERSION_PATCH);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Tools around scalekit", "scalekit"};
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  scalekit::cli::action chosen;
  scalekit::cli::add_load_command(app, chosen);

  CLI11_PARSE(app, argc, argv);
  try {
    return chosen();
  } catch (const std::exception& e) {
    std::cerr << "scalekit: " << e.what() << "\n";
    return 1;
  }
}

#pragma once

#include <CLI/App.hpp>

#include <functional>

namespace scalekit::cli {

/// What a command does once the arguments are parsed; its value is the exit code.
using action = std::function<int()>;

/// Adds `scalekit load` to the application; `chosen` is set when it was given.
void add_load_command(CLI::App& app, action& chosen);

}  // namespace scalekit::cli

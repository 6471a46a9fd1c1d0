#pragma once

#include "scalekit/adapters/log_line.hpp"
#include "scalekit/core/log.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

namespace scalekit::adapters {

/// A sink that writes to a spdlog logger of the host:
///
///     db::client::open(url, {.log = adapters::spdlog_sink(spdlog::get("shop"))});
///
/// A template, so that scalekit neither includes nor links spdlog: it fits the host's version,
/// header-only or compiled, its namespace and its own sinks. `Logger` is a spdlog::logger, or
/// anything with its debug(), info(), warn() and error() of one text. Each record is one line,
/// as to_line() writes it; the logger's own level and pattern apply.
///
/// Records below `least` are dropped before they are formatted. Throws std::invalid_argument when
/// `logger` is null: spdlog::get() knows no logger of that name.
/// Thread safety: that of the logger; choose one with a `_mt` sink.
/// Object lifetimes: the sink shares the logger.
template <class Logger>
log_sink spdlog_sink(std::shared_ptr<Logger> logger, log_level least = log_level::info) {
  if (!logger) {
    throw std::invalid_argument(
        "spdlog_sink logger is null; legal: a logger (is it registered under that name?)");
  }
  return log_sink(
      [logger = std::move(logger)](const log_record& record) {
        const auto line = to_line(record);
        switch (record.level) {
          case log_level::debug:
            return logger->debug(line);
          case log_level::info:
            return logger->info(line);
          case log_level::warning:
            return logger->warn(line);
          case log_level::error:
            return logger->error(line);
        }
      },
      least);
}

}  // namespace scalekit::adapters

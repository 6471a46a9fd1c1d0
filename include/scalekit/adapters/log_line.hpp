#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"

#include <string>

namespace scalekit::adapters {

/// A record as one line, for a logger that takes text:
/// `db.pool.exhausted: all 20 connections are busy host=10.0.0.1 waited="2 s"`.
///
/// Values with blanks, quotes or an equals sign are quoted. Control characters and line breaks,
/// those of Unicode included, come out as \xNN: what a server or user typed cannot forge a second
/// line. The message is not quoted: what it quotes of a user may look like a field.
SCALEKIT_EXPORT std::string to_line(const log_record& record);

}  // namespace scalekit::adapters

#pragma once

#include "db/call_frame.hpp"

namespace scalekit::db::sqlite {

using detail::call_frame;
using detail::frame_of;
using detail::throw_if_stopped;

/// What a write on SQLite returns as its token: every read sees every write before it.
inline constexpr const char* write_token = "sqlite";

}  // namespace scalekit::db::sqlite

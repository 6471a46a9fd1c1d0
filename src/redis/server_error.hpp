#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/reply.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace scalekit::redis::detail {

/// The first word of what the server says when it refuses: "WRONGTYPE". It is its code.
std::string_view code_of(std::string_view refusal) noexcept;

/// What an error reply to `command` of the server `origin` is to the caller.
error server_error(const reply& refused, const std::string& command, const std::string& origin);

/// Takes the next answer to `what`. Nothing: more are to come.
std::optional<reply> take_answer(answers& to_come, const request& what, reply&& answer);

/// What a call is told whose last answer is the error `answer`.
error refusal_of(const answers& to_come, const request& what, const reply& answer,
                 const std::string& origin);

/// The server is no master any more, and has not run the call whose last answer is the error
/// `answer`.
bool is_demotion(const answers& to_come, const reply& answer) noexcept;

/// The server does not know the script; nothing was run.
bool is_unknown_script(const request& what, const reply& answer) noexcept;

}  // namespace scalekit::redis::detail

#pragma once

#include "scalekit/queue/enqueue_options.hpp"
#include "scalekit/queue/queue_params.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <chrono>
#include <string_view>

// Settings: std::invalid_argument. Arguments of a call: errc::invalid_argument or too_large.

namespace scalekit::queue::detail {

/// Of worker_params and kind_params.
inline constexpr std::chrono::milliseconds least_attempt_timeout{10};
inline constexpr std::chrono::milliseconds most_attempt_timeout = std::chrono::hours{24};

bool is_name(std::string_view name) noexcept;

void validate(const queue_params& params);
void validate(const worker_params& params);
void validate_timeout(std::chrono::nanoseconds timeout, std::string_view field);

void check_job(std::string_view kind, std::string_view payload, const enqueue_options& options,
               const queue_params& params);

}  // namespace scalekit::queue::detail

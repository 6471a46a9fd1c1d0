#include "cache/file_tier.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace scalekit::cache::detail {
namespace {

constexpr std::size_t most_key_and_type = 65536 + 255;

circuit_breaker_params breaker_params(const file_params& params, const log_sink& log,
                                      std::string_view what) {
  circuit_breaker_params breaker;
  breaker.name = std::string(what) + " of the cache's directory " + params.directory;
  breaker.consecutive_failures = params.failures_to_pause;
  breaker.failure_ratio = 0;
  breaker.pause = {.base = params.pause,
                   .cap = std::max<std::chrono::nanoseconds>(params.pause, std::chrono::minutes(1)),
                   .full_jitter = false};
  breaker.on_change = [log, directory = params.directory, what](const breaker_transition& change) {
    if (change.to == breaker_state::open) {
      log(log_level::warning, "cache.file.paused",
          "the cache's directory keeps failing; going on without it for a while",
          {{"directory", directory}, {"what", what}});
    } else if (change.to == breaker_state::closed) {
      log(log_level::warning, "cache.file.resumed", "the cache's directory works again",
          {{"directory", directory}, {"what", what}});
    }
  };
  return breaker;
}

}  // namespace

file_found found_in(const file_entry& entry, const time_left& left, std::int64_t now_us) {
  file_found found;
  found.type = entry.type;
  found.negative = entry.negative;
  found.age = std::chrono::microseconds(std::max<std::int64_t>(now_us - entry.created_us, 0));
  found.left = left;
  found.memory_ttl = std::chrono::microseconds(entry.memory_ttl_us);
  return found;
}

file_tier::file_tier(const store_params& params)
    : directory_(params.file),
      format_(params),
      clock_(*params.clock),
      log_(params.log),
      most_bytes_(params.max_value_bytes + most_key_and_type + seal_bytes + file_header_bytes),
      reads_(breaker_params(params.file, log_, "reads"), clock_),
      writes_(breaker_params(params.file, log_, "writes"), clock_) {}

file_tier::permit file_tier::admit(circuit_breaker& breaker) noexcept {
  auto leave = breaker.try_acquire();
  if (!leave) counts_.paused.add();
  return leave;
}

std::optional<file_found> file_tier::find(std::string_view key, const file_name& name) {
  auto leave = admit(reads_);
  if (!leave) return std::nullopt;
  std::string bytes;
  const int failed = directory_.read(name.path, most_bytes_, bytes);
  if (failed && failed != ENOENT && failed != EFBIG) {
    counts_.read_errors.add();
    leave->failure();
    return std::nullopt;
  }
  leave->success();
  if (failed == ENOENT) return std::nullopt;

  // EFBIG: longer than anything this store would write.
  auto parsed =
      failed ? std::variant<file_entry, file_fault>(file_fault::foreign) : format_.parse(bytes);
  if (auto* fault = std::get_if<file_fault>(&parsed)) {
    set_aside(name, *fault);
    return std::nullopt;
  }
  const auto& entry = std::get<file_entry>(parsed);
  if (entry.key != key) return std::nullopt;
  const auto now = to_micros(clock_.wall_now());
  const auto left = left_to_live(entry.created_us, entry.fresh_until_us, entry.expires_us, now);
  if (left.kept.count() == 0 || !gate().is_alive(name.stripe, entry.token)) {
    counts_.expired.add();
    directory_.remove(name.path);
    return std::nullopt;
  }

  auto found = found_in(entry, left, now);
  // Not here, at least: another process of the directory may.
  if (format_.unpack(bytes, entry)) return std::nullopt;
  found.value = std::move(bytes);
  return found;
}

file_written file_tier::fill(const file_entry& entry, const file_name& name,
                             const deadline& until) {
  file_written result{.token = entry.token};
  auto leave = admit(writes_);
  std::string temporary;
  if (!leave || write_failed(leave, prepare(entry, name, temporary))) return result;
  try {
    directory_table::stripe_lock lock(directory_.table(), name.stripe, until);
    if (gate().current(name.stripe) != entry.token) {
      result.fenced = true;
      directory_.discard(temporary);
      return result;
    }
    result.stored = !write_failed(leave, directory_.publish(temporary, name.path));
  } catch (const error&) {
    // Not worth a failed lookup: the value is served, only not kept.
  }
  if (result.stored) {
    leave->success();
  } else {
    directory_.discard(temporary);
  }
  return result;
}

file_written file_tier::replace(file_entry entry, const file_name& name, const deadline& until) {
  entry.token = gate().current(name.stripe);
  file_written result;
  auto leave = admit(writes_);
  std::string temporary;
  const bool prepared = leave && !write_failed(leave, prepare(entry, name, temporary));
  try {
    directory_table::stripe_lock lock(directory_.table(), name.stripe, until);
    result.stored = prepared && !write_failed(leave, directory_.publish(temporary, name.path));
    if (!result.stored) drop(name);
    // After the change: a reader who took its token before may have read the old file, one who
    // takes it later reads the new one.
    result.token = gate().advance(name.stripe);
  } catch (...) {
    if (prepared) directory_.discard(temporary);
    bury(name.stripe);
    throw;
  }
  if (result.stored) {
    leave->success();
  } else if (prepared) {
    directory_.discard(temporary);
  }
  return result;
}

void file_tier::erase(const file_name& name, const deadline& until) {
  try {
    directory_table::stripe_lock lock(directory_.table(), name.stripe, until);
    drop(name);
    gate().advance(name.stripe);
  } catch (const error&) {
    bury(name.stripe);
  }
}

void file_tier::bury(std::uint32_t stripe) noexcept {
  gate().raise_floor(stripe, gate().advance(stripe));
  // For readers who took their token before the floor rose and read the file then.
  gate().advance(stripe);
}

int file_tier::prepare(const file_entry& entry, const file_name& name, std::string& temporary) {
  entry_format::buffer buffer;
  const auto packed = format_.pack(entry, buffer);
  const auto prefix = encode_prefix(packed);
  if (!directory_.make_room(prefix.size() + packed.value.size())) return EFBIG;
  return directory_.write_temporary(name.path, prefix, packed.value, temporary);
}

bool file_tier::write_failed(permit& leave, int failed) {
  if (!failed) return false;
  counts_.write_errors.add();
  // Too large for the quota or a limit of the process says nothing about the disk.
  if (failed != EFBIG) leave->failure();
  return true;
}

void file_tier::drop(const file_name& name) {
  // While a dead disk is left alone, the floor alone must do. A full one still removes.
  if (reads_.state() != breaker_state::open) {
    const int failed = directory_.remove(name.path);
    if (!failed || failed == ENOENT) return;
    counts_.write_errors.add();
  }
  bury(name.stripe);
}

void file_tier::set_aside(const file_name& name, file_fault fault) {
  counts_.corrupt.add();
  directory_.quarantine(name.path);
  log_(log_level::warning, "cache.file.damaged", "an entry is damaged; moved to quarantine",
       {{"directory", directory_.path()}, {"file", name.path}, {"fault", to_string(fault)}});
}

}  // namespace scalekit::cache::detail

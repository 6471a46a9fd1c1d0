#include "cache/debt_journal.hpp"

#include "cache/hash.hpp"
#include "scalekit/core/error.hpp"

#include <cstdint>
#include <cstring>
#include <sys/file.h>
#include <utility>
#include <vector>

namespace scalekit::cache::detail {
namespace {

// The magic, the state, and of a list: for each key its length (4 bytes) and itself; XXH64 of that.
constexpr std::string_view journal_magic = "skowes1\n";
constexpr off_t state_at = journal_magic.size();
constexpr std::size_t front = journal_magic.size() + 1;

template <class Number>
std::string bytes_of(Number n) {
  std::string bytes(sizeof n, '\0');
  std::memcpy(bytes.data(), &n, sizeof n);
  return bytes;
}

template <class Number>
Number number_in(std::string_view bytes) {
  Number n;
  std::memcpy(&n, bytes.data(), sizeof n);
  return n;
}

std::string encode(const std::vector<std::string>& keys) {
  std::string list;
  for (const auto& key : keys) {
    list.append(bytes_of(static_cast<std::uint32_t>(key.size()))).append(key);
  }
  return list.append(bytes_of(xxh64(list, 0)));
}

/// False: they are no list, or not all of one.
bool decode(std::string_view bytes, std::vector<std::string>& keys) {
  constexpr auto tail = sizeof(std::uint64_t);
  if (bytes.size() < tail) return false;
  auto list = bytes.substr(0, bytes.size() - tail);
  if (xxh64(list, 0) != number_in<std::uint64_t>(bytes.substr(list.size()))) return false;
  while (!list.empty()) {
    if (list.size() < sizeof(std::uint32_t)) return false;
    const auto size = number_in<std::uint32_t>(list);
    list.remove_prefix(sizeof size);
    if (list.size() < size) return false;
    keys.emplace_back(list.substr(0, size));
    list.remove_prefix(size);
  }
  return true;
}

std::string read_all(const descriptor& file, const std::string& path) {
  std::string bytes;
  char part[4096];
  for (;;) {
    const auto got = uninterrupted(
        [&] { return ::pread(file.get(), part, sizeof part, static_cast<off_t>(bytes.size())); });
    if (got < 0) throw file_error(errno, "cannot read the journal of the cache", path);
    if (got == 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace

debt_journal::debt_journal(std::string path, owed_erasures& owed, log_sink log)
    : path_(std::move(path)), owed_(owed), log_(std::move(log)) {
  file_ = descriptor(uninterrupted(
      [&] { return ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); }));
  if (!file_) throw file_error(errno, "cannot open the journal of the cache", path_);
  if (uninterrupted([&] { return ::flock(file_.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK)
      throw file_error(errno, "cannot lock the journal of the cache", path_);
    throw error(errc::unavailable,
                "another store uses the journal " + path_ + "; each needs one of its own");
  }
  take(read_all(file_, path_));
}

void debt_journal::take(std::string_view bytes) {
  const bool is_ours = journal_magic.starts_with(bytes.substr(0, journal_magic.size()));
  if (!is_ours) throw error(errc::corrupt, path_ + " is no journal of a cache");
  // One that is new, or was just being made, owes nothing.
  if (bytes.size() < front) {
    write(journal_magic, 0);
    return put(state::paid);
  }
  const auto found = static_cast<state>(bytes[journal_magic.size()]);
  if (found == state::paid) {
    state_ = state::paid;
    return;
  }
  std::vector<std::string> keys;
  if (found == state::listed && decode(bytes.substr(front), keys)) {
    for (const auto& key : keys) owed_.add(key);
  } else {
    owed_.add_everything();
  }
  put(state::owing);
}

bool debt_journal::is_right() const noexcept {
  switch (state_.load()) {
    case state::paid:
      return owed_.empty();
    case state::owing:
      return !owed_.empty();
    case state::listed:
      return !owed_.empty() && owed_.made() == listed_at_;
    case state::unknown:
      break;
  }
  return false;
}

// While one writes, the state is unknown: who has changed what is owed meanwhile waits for the
// lock, and sees to it that the file is right in the end.

void debt_journal::note() noexcept {
  if (is_right()) return;
  change([this] {
    if (!is_right()) put(owed_.empty() ? state::paid : state::owing);
  });
}

void debt_journal::close() noexcept {
  change([this] {
    if (!owed_.empty() && !owed_.owes_everything()) put_list();
  });
}

template <class Change>
void debt_journal::change(Change what) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    what();
    has_failed_ = false;
  } catch (const std::exception& e) {
    if (std::exchange(has_failed_, true)) return;
    log_(log_level::warning, "cache.journal.failed",
         "the journal of what the cache's server is owed cannot be written",
         {{"file", path_}, {"exception.message", std::string_view(e.what())}});
  }
}

void debt_journal::put(state s) {
  state_ = state::unknown;
  const char byte = static_cast<char>(s);
  write({&byte, 1}, state_at);
  state_ = s;
}

void debt_journal::put_list() {
  state_ = state::unknown;
  listed_at_ = owed_.made();
  const auto list = encode(owed_.keys());
  write(list, static_cast<off_t>(front));
  const auto size = static_cast<off_t>(front + list.size());
  if (::ftruncate(file_.get(), size) != 0) {
    throw file_error(errno, "cannot write the journal of the cache", path_);
  }
  put(state::listed);
}

void debt_journal::write(std::string_view bytes, off_t at) {
  while (!bytes.empty()) {
    const auto done =
        uninterrupted([&] { return ::pwrite(file_.get(), bytes.data(), bytes.size(), at); });
    if (done < 0) throw file_error(errno, "cannot write the journal of the cache", path_);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    at += done;
  }
  if (uninterrupted([&] { return ::fdatasync(file_.get()); }) != 0) {
    throw file_error(errno, "cannot write the journal of the cache", path_);
  }
}

}  // namespace scalekit::cache::detail

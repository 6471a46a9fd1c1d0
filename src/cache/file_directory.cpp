#include "cache/file_directory.hpp"

#include "cache/hash.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <dirent.h>
#include <filesystem>
#include <memory>
#include <unistd.h>
#include <vector>

namespace scalekit::cache::detail {
namespace {

constexpr unsigned fans = 256;
constexpr std::string_view temporary_prefix = ".tmp-";
// A writer takes milliseconds; older temporary files are those of a dead one.
constexpr time_t orphan_age_s = 600;

std::string fan_name(unsigned fan) {
  std::array<char, 3> text{};
  std::snprintf(text.data(), text.size(), "%02x", fan);
  return text.data();
}

struct listed_file {
  std::string name;
  std::int64_t bytes = 0;
  timespec written{};
};

/// The regular files of one directory; none where it cannot be read.
std::vector<listed_file> list(int root, const std::string& directory) {
  std::vector<listed_file> files;
  const int fd = ::openat(root, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return files;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), &::closedir);
  if (!stream) {
    ::close(fd);
    return files;
  }
  // readdir() is safe on a stream that no other thread has.
  while (const dirent* each = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    struct stat info {};
    if (::fstatat(fd, each->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    files.push_back({directory + '/' + each->d_name, info.st_size, info.st_mtim});
  }
  return files;
}

bool is_temporary(const listed_file& file) {
  return file.name.find(temporary_prefix) != std::string::npos;
}

bool is_older(const listed_file& a, const listed_file& b) {
  return a.written.tv_sec != b.written.tv_sec ? a.written.tv_sec < b.written.tv_sec
                                              : a.written.tv_nsec < b.written.tv_nsec;
}

int write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto n = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

int write_both(int fd, std::string_view prefix, std::string_view value) noexcept {
  std::array<iovec, 2> parts{iovec{const_cast<char*>(prefix.data()), prefix.size()},
                             iovec{const_cast<char*>(value.data()), value.size()}};
  const auto n = uninterrupted([&] { return ::writev(fd, parts.data(), 2); });
  if (n < 0) return errno;
  const auto written = static_cast<std::size_t>(n);
  if (written >= prefix.size()) return write_all(fd, value.substr(written - prefix.size()));
  const int failed = write_all(fd, prefix.substr(written));
  return failed ? failed : write_all(fd, value);
}

}  // namespace

file_name::file_name(std::string_view key) {
  const auto first = xxh64(key, 0x73636c6b);
  const auto second = xxh64(key, first);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02x/%016llx%016llx", static_cast<unsigned>(first >> 56),
                static_cast<unsigned long long>(first), static_cast<unsigned long long>(second));
  path = text.data();
  stripe = static_cast<std::uint32_t>(first % fence::stripes);
}

file_directory::file_directory(const file_params& params) : params_(params) {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(params_.directory).parent_path(),
                                      failed);
  make_and_open(params_.directory);
  root_ = make_and_open(params_.directory + "/v1");
  make_and_open(params_.directory + "/v1/quarantine");
  table_.emplace(root_.get(), params_.directory + "/v1", random_());
  sweep();
  table_->admit_others();
}

descriptor file_directory::make_and_open(const std::string& path) const {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw file_error(errno, "cannot make the cache's directory", path);
  }
  descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) throw file_error(errno, "cannot open the cache's directory", path);
  return opened;
}

void file_directory::sweep() {
  const bool alone = table_->is_alone();
  const auto now = std::time(nullptr);
  std::int64_t entries = 0, bytes = 0;
  for (unsigned fan = 0; fan < fans; ++fan) {
    for (auto& file : list(root_.get(), fan_name(fan))) {
      if (!is_temporary(file)) {
        ++entries;
        bytes += file.bytes;
      } else if (alone || file.written.tv_sec + orphan_age_s < now) {
        discard(file.name);
        orphans_.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }
  // While others write, counting would miss what they do meanwhile: their totals stand.
  if (alone) {
    table_->shared().entries = entries;
    table_->shared().bytes = bytes;
  }
}

void file_directory::add(std::int64_t entries, std::int64_t bytes) noexcept {
  table_->shared().entries.fetch_add(entries, std::memory_order_relaxed);
  table_->shared().bytes.fetch_add(bytes, std::memory_order_relaxed);
}

int file_directory::read(const std::string& name, std::size_t most, std::string& out) const {
  descriptor file(uninterrupted(
      [&] { return ::openat(root_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
  if (!file) return errno;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno;
  if (static_cast<std::uint64_t>(info.st_size) > most) return EFBIG;
  out.resize(static_cast<std::size_t>(info.st_size));
  std::size_t have = 0;
  while (have < out.size()) {
    const auto n =
        uninterrupted([&] { return ::read(file.get(), out.data() + have, out.size() - have); });
    if (n < 0) return errno;
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return 0;
}

int file_directory::write_temporary(const std::string& name, std::string_view prefix,
                                    std::string_view value, std::string& temporary) {
  std::array<char, 64> unique{};
  std::snprintf(unique.data(), unique.size(), "%.*s%lx-%016llx",
                static_cast<int>(temporary_prefix.size()), temporary_prefix.data(),
                static_cast<unsigned long>(::getpid()), static_cast<unsigned long long>(random_()));
  temporary = name.substr(0, 3) + unique.data();
  auto create = [&] {
    return descriptor(uninterrupted([&] {
      return ::openat(root_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      0600);
    }));
  };
  auto file = create();
  if (!file && errno == ENOENT) {
    if (::mkdirat(root_.get(), name.substr(0, 2).c_str(), 0700) != 0 && errno != EEXIST) {
      return errno;
    }
    file = create();
  }
  if (!file) return errno;

  int failed = write_both(file.get(), prefix, value);
  if (!failed && params_.fsync == fsync_policy::data && ::fdatasync(file.get()) != 0) {
    failed = errno;
  }
  const int close_failed = file.close();
  if (!failed) failed = close_failed;
  if (failed) discard(temporary);
  return failed;
}

int file_directory::publish(const std::string& temporary, const std::string& name) {
  struct stat added {};
  struct stat replaced {};
  if (::fstatat(root_.get(), temporary.c_str(), &added, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  const bool replaces = ::fstatat(root_.get(), name.c_str(), &replaced, AT_SYMLINK_NOFOLLOW) == 0;
  // Counted before it is there, as remove() counts after it has gone: who is killed in between
  // leaves totals that are too high, and the quota holds.
  add(1, added.st_size);
  if (::renameat(root_.get(), temporary.c_str(), root_.get(), name.c_str()) != 0) {
    const int failed = errno;
    add(-1, -added.st_size);
    return failed;
  }
  if (replaces) add(-1, -replaced.st_size);
  return 0;
}

void file_directory::discard(const std::string& temporary) noexcept {
  ::unlinkat(root_.get(), temporary.c_str(), 0);
}

int file_directory::remove(const std::string& name) noexcept {
  struct stat info {};
  const bool known = ::fstatat(root_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (::unlinkat(root_.get(), name.c_str(), 0) != 0) return errno;
  if (known) add(-1, -info.st_size);
  return 0;
}

void file_directory::quarantine(const std::string& name) {
  struct stat info {};
  if (::fstatat(root_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
  const auto aside = "quarantine" + name.substr(2);
  if (list(root_.get(), "quarantine").size() < params_.max_quarantined &&
      ::renameat(root_.get(), name.c_str(), root_.get(), aside.c_str()) == 0) {
    add(-1, -info.st_size);
    return;
  }
  remove(name);
}

bool file_directory::fits(std::uint64_t bytes) const noexcept {
  const auto used = table_->shared().bytes.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(used, 0)) + bytes <= params_.max_bytes;
}

bool file_directory::make_room(std::uint64_t bytes) {
  if (bytes > params_.max_bytes) return false;
  const auto start = static_cast<unsigned>(random_() % fans);
  // A pass removes a quarter of each directory; twenty of them all but empty the cache.
  for (unsigned i = 0; i < fans * 20 && !fits(bytes); ++i) evict_from((start + i) % fans);
  if (fits(bytes)) return true;

  // All that is left did not help: the totals have drifted, say by a writer that was killed.
  std::int64_t entries = 0, total = 0;
  for (unsigned fan = 0; fan < fans; ++fan) {
    for (auto& file : list(root_.get(), fan_name(fan))) {
      if (is_temporary(file)) continue;
      ++entries;
      total += file.bytes;
    }
  }
  table_->shared().entries = entries;
  table_->shared().bytes = total;
  return fits(bytes);
}

void file_directory::evict_from(unsigned fan) {
  auto files = list(root_.get(), fan_name(fan));
  std::erase_if(files, is_temporary);
  std::sort(files.begin(), files.end(), is_older);
  // A quarter at a time: the oldest of one directory, not the whole of it, and seldom.
  const auto quarter = (files.size() + 3) / 4;
  for (std::size_t i = 0; i < quarter; ++i) {
    if (::unlinkat(root_.get(), files[i].name.c_str(), 0) != 0) continue;
    add(-1, -files[i].bytes);
    evicted_.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace scalekit::cache::detail

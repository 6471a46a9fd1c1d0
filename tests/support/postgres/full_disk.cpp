// Preloaded into a test's PostgreSQL: a disk without room. While the symbolic link that
// SCALEKIT_FULL_DISK names is there, no file below the directory it points to can grow; what lies
// within a file can be written over, as on a real disk.

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr std::size_t longest_path = 4096;

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Whether `file` would have to grow to end at `end`, and cannot.
bool is_refused(int file, off_t end) {
  const char* link = std::getenv("SCALEKIT_FULL_DISK");
  char full[longest_path];
  const auto length = link == nullptr ? -1 : readlink(link, full, sizeof full);
  if (length <= 0) return false;
  struct stat now;
  if (fstat(file, &now) != 0 || !S_ISREG(now.st_mode) || end <= now.st_size) return false;
  char entry[32], path[longest_path];
  std::snprintf(entry, sizeof entry, "/proc/self/fd/%d", file);
  return readlink(entry, path, sizeof path) > length &&
         std::memcmp(path, full, static_cast<std::size_t>(length)) == 0;
}

bool has_room(int file, off_t offset, std::size_t size) {
  const int before = errno;
  const bool refused = is_refused(file, offset + static_cast<off_t>(size));
  errno = refused ? ENOSPC : before;
  return !refused;
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, std::size_t size) {
  static const auto real_write = real<decltype(write)>("write");
  const auto offset = lseek(file, 0, SEEK_CUR);
  return has_room(file, offset, size) ? real_write(file, bytes, size) : -1;
}

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  static const auto real_pwrite = real<decltype(pwrite)>("pwrite");
  return has_room(file, offset, size) ? real_pwrite(file, bytes, size, offset) : -1;
}

ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) {
  static const auto real_pwritev = real<decltype(pwritev)>("pwritev");
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return has_room(file, offset, size) ? real_pwritev(file, parts, count, offset) : -1;
}

int posix_fallocate(int file, off_t offset, off_t size) {
  static const auto real_fallocate = real<decltype(posix_fallocate)>("posix_fallocate");
  if (!has_room(file, offset, static_cast<std::size_t>(size))) return ENOSPC;
  return real_fallocate(file, offset, size);
}

}  // extern "C"

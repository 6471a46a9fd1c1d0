#pragma once

#include "scalekit/core/error.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace scalekit::cache::detail {

/// A file descriptor that closes itself.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

  /// 0, or the errno of a close that lost data.
  int close() noexcept {
    const int failed = ::close(std::exchange(fd_, -1));
    return failed ? errno : 0;
  }

 private:
  int fd_ = -1;
};

/// The first errno-style call that is not interrupted.
template <class Call>
auto uninterrupted(Call call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

inline errc code_of(int system_error) noexcept {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return errc::disk_full;
    case EROFS:
      return errc::read_only;
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
      return errc::unavailable;
    default:
      return errc::io_error;
  }
}

/// An error that tells `what` failed on `path`.
inline error file_error(int system_error, std::string what, std::string path) {
  return {make_error_code(code_of(system_error)),
          diagnostics{
              std::move(what),
              boost::system::error_code(system_error, boost::system::system_category()).message(),
              "errno " + std::to_string(system_error), std::move(path)}};
}

}  // namespace scalekit::cache::detail

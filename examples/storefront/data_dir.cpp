#include "data_dir.hpp"

#include <boost/url/url.hpp>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace storefront {
namespace {

[[noreturn]] void throw_errno(const char* what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::system_category(), std::string(what) + " " + path.string());
}

/// An open file that closes itself.
class file {
 public:
  explicit file(const std::filesystem::path& path) : path_(path) {
    // O_EXCL: a file of this name is another attempt's, and not ours to write to.
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0) throw_errno("cannot create", path_);
  }
  ~file() { ::close(fd_); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;

  void write(std::string_view content) {
    while (!content.empty()) {
      auto written = ::write(fd_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno("cannot write", path_);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    // Without it, a power failure after the rename may leave an empty file under the final name.
    if (::fdatasync(fd_) != 0) throw_errno("cannot sync", path_);
  }

 private:
  const std::filesystem::path& path_;
  int fd_ = -1;
};

/// Writes a file of its own beside `target` and hands its name to `finish`, which moves it.
template <class Finish>
void write_beside(const std::filesystem::path& target, std::string_view attempt,
                  std::string_view content, Finish finish) {
  auto temporary = target;
  temporary += ".";
  temporary += attempt;
  temporary += ".tmp";
  try {
    file(temporary).write(content);
    finish(temporary);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

void sync(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw_errno("cannot open", path);
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  errno = failed;
  if (failed != 0) throw_errno("cannot sync", path);
}

}  // namespace

data_dir::data_dir(const std::filesystem::path& root)
    : database(std::filesystem::absolute(root) / "shop.db"),
      cache(root / "cache"),
      cache_fallback(root / "cache-fallback"),
      sessions(root / "sessions"),
      outbox(root / "outbox"),
      reports(root / "reports"),
      backups(root / "backups"),
      cursor_secret(root / "cursor-secret") {
  // It holds customers' orders and password hashes: nobody else on the machine may look. A
  // directory that was there before keeps its owner's choice.
  if (std::filesystem::create_directories(root)) {
    std::filesystem::permissions(root, std::filesystem::perms::owner_all);
  }
  for (const auto& dir : {cache, sessions, outbox, reports, backups}) {
    std::filesystem::create_directories(dir);
  }
}

std::string data_dir::database_url() const {
  boost::urls::url url("sqlite://");
  url.set_path(database.string());
  return std::string(url.buffer());
}

void write_atomically(const std::filesystem::path& target, std::string_view attempt,
                      std::string_view content) {
  write_beside(target, attempt, content,
               [&](const auto& written) { std::filesystem::rename(written, target); });
}

void write_once(const std::filesystem::path& target, std::string_view attempt,
                std::string_view content) {
  write_beside(target, attempt, content, [&](const auto& written) {
    // Unlike rename(), link() does not replace.
    if (::link(written.c_str(), target.c_str()) != 0 && errno != EEXIST) {
      throw_errno("cannot create", target);
    }
    std::filesystem::remove(written);
  });
}

void put_in_place(const std::filesystem::path& finished, const std::filesystem::path& target) {
  sync(finished);
  std::filesystem::rename(finished, target);
  sync(target.parent_path());
}

}  // namespace storefront

#include "cache/directory_table.hpp"

#include <algorithm>
#include <chrono>
#include <sys/mman.h>
#include <thread>

namespace scalekit::cache::detail {
namespace {

constexpr std::uint64_t table_magic = 0x31656c6261746b73;  // "sktable1"
constexpr auto open_timeout = std::chrono::seconds(10);

constexpr off_t first_stripe_byte = directory_table::presence_byte + 1;
constexpr off_t maker_byte = first_stripe_byte + fence::stripes;

bool lock_byte(int fd, short type, off_t at) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return uninterrupted([&] { return ::fcntl(fd, F_OFD_SETLK, &lock); }) == 0;
}

/// Waiting in the kernel would have no deadline, and a stopped process can hold a lock for ever.
void lock_byte_until(int fd, short type, off_t at, const deadline& until, const char* what) {
  auto pause = std::chrono::microseconds(20);
  while (!lock_byte(fd, type, at)) {
    if (errno != EAGAIN && errno != EACCES) throw file_error(errno, "cannot lock the table", what);
    if (until.expired()) {
      throw error(errc::acquire_timeout,
                  std::string("another process kept ") + what + " locked until the deadline");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::microseconds>(pause * 2, std::chrono::milliseconds(5));
  }
}

}  // namespace

directory_table::directory_table(int directory, const std::string& path, std::uint64_t first_epoch)
    : path_(path) {
  file_ = descriptor(uninterrupted(
      [&] { return ::openat(directory, "table", O_RDWR | O_CREAT | O_CLOEXEC, 0600); }));
  if (!file_) throw file_error(errno, "cannot open the cache's table", path_ + "/table");

  alone_ = lock_byte(file_.get(), F_WRLCK, presence_byte);
  if (!alone_) {
    lock_byte_until(file_.get(), F_RDLCK, presence_byte, deadline::after(open_timeout),
                    "the cache's directory");
  }
  make(first_epoch);
  if (contents_->magic != table_magic) {
    throw error(errc::corrupt, path_ + "/table is not a cache's table; use another directory");
  }
  gate_.emplace(contents_->stripes, &contents_->epoch);
}

void directory_table::unmap::operator()(contents* at) const noexcept {
  ::munmap(at, sizeof(contents));
}

void directory_table::map() {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) throw file_error(errno, "cannot stat", path_ + "/table");
  if (info.st_size != 0 && info.st_size != static_cast<off_t>(sizeof(contents))) {
    throw error(errc::corrupt, path_ + "/table has the wrong length; use another directory");
  }
  // Blocks are reserved now: a full disk later must not become a SIGBUS.
  if (const int failed = ::posix_fallocate(file_.get(), 0, sizeof(contents))) {
    throw file_error(failed, "cannot reserve the cache's table", path_ + "/table");
  }
  void* at = ::mmap(nullptr, sizeof(contents), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (at == MAP_FAILED) throw file_error(errno, "cannot map", path_ + "/table");
  contents_.reset(static_cast<contents*>(at));
}

void directory_table::make(std::uint64_t first_epoch) {
  // Under a lock of its own: who waited for a maker that died is not alone, and several may have.
  lock_byte_until(file_.get(), F_WRLCK, maker_byte, deadline::after(open_timeout),
                  "the cache's new table");
  map();
  // Zero: new, or its maker died half way, or the machine crashed before it was on disk.
  if (contents_->magic == 0) {
    contents_->epoch = first_epoch;
    contents_->magic = table_magic;
  }
  lock_byte(file_.get(), F_UNLCK, maker_byte);
}

void directory_table::admit_others() noexcept {
  if (alone_) lock_byte(file_.get(), F_RDLCK, presence_byte);
}

directory_table::stripe_lock::stripe_lock(directory_table& table, std::uint32_t stripe,
                                          const deadline& until)
    : fd_(table.file_.get()), at_(first_stripe_byte + stripe) {
  lock_byte_until(fd_, F_WRLCK, at_, until, "a stripe of the cache's files");
}

directory_table::stripe_lock::~stripe_lock() {
  lock_byte(fd_, F_UNLCK, at_);
}

}  // namespace scalekit::cache::detail

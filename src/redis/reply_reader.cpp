#include "redis/reply_reader.hpp"

#include "scalekit/core/settings_text.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace scalekit::redis::detail {
namespace {

/// hiredis moves what it has not read yet to the front once a kilobyte is read: the less there is
/// of it the better.
constexpr std::size_t slice = 4096;
/// An empty buffer of hiredis's that is larger is given back.
constexpr std::size_t buffer_kept = 256 * 1024;

}  // namespace

/// What hiredis calls. It keeps pointers to arrays that it has not finished, each the last element
/// of the one around it, which therefore stays where it is: elements are added to finished ones'
/// neighbours only.
struct reply_reader::builder {
  static reply_reader& reader(const redisReadTask* task) noexcept {
    return *static_cast<reply_reader*>(task->privdata);
  }

  /// A place for what comes; null when it is more than may be.
  static reply* place(const redisReadTask* task, std::size_t bytes) noexcept {
    auto& self = reader(task);
    self.built_ += bytes + sizeof(reply);
    if (self.built_ > self.max_reply_ + sizeof(reply)) {
      self.failed_ = failure::too_large;
      return nullptr;
    }
    if (task->parent == nullptr) {
      self.root_ = {};
      return &self.root_;
    }
    try {
      return &static_cast<reply*>(task->parent->obj)->elements.emplace_back();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  static void* text(const redisReadTask* task, char* bytes, std::size_t size) noexcept {
    auto* at = place(task, size);
    if (at == nullptr) return nullptr;
    at->kind = task->type == REDIS_REPLY_ERROR    ? reply_kind::error
               : task->type == REDIS_REPLY_STATUS ? reply_kind::status
                                                  : reply_kind::text;
    try {
      at->text.assign(bytes, size);
    } catch (const std::exception&) {
      return nullptr;
    }
    return at;
  }

  /// Its size is an int or a std::size_t, as hiredis's version has it. Nothing is reserved: it is
  /// only a promise.
  template <class Size>
  static void* array(const redisReadTask* task, Size) noexcept {
    auto* at = place(task, 0);
    if (at != nullptr) at->kind = reply_kind::array;
    return at;
  }

  static void* integer(const redisReadTask* task, long long value) noexcept {
    auto* at = place(task, 0);
    if (at == nullptr) return nullptr;
    at->kind = reply_kind::integer;
    at->integer = value;
    return at;
  }

  static void* nil(const redisReadTask* task) noexcept { return place(task, 0); }

  static redisReplyObjectFunctions functions() noexcept {
    redisReplyObjectFunctions f{};
    f.createString = text;
    f.createArray = array;
    f.createInteger = integer;
    f.createNil = nil;
    f.freeObject = [](void*) {};
    return f;
  }
};

void reply_reader::closer::operator()(redisReader* r) const noexcept {
  redisReaderFree(r);
}

reply_reader::reply_reader(std::size_t max_reply) : max_reply_(max_reply) {
  static redisReplyObjectFunctions functions = builder::functions();
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = this;
  reader_->maxbuf = buffer_kept;
}

reply_reader::~reply_reader() = default;

std::optional<reply> reply_reader::next() {
  while (failed_ == failure::none) {
    void* whole = nullptr;
    if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) {
      if (failed_ == failure::too_large) {
        fail(failure::too_large, {});
      } else {
        fail(failure::protocol, reader_->err == REDIS_ERR_OOM ? "no memory for a reply"
                                                              : "this is not the Redis protocol");
      }
      break;
    }
    if (whole != nullptr) {
      built_ = 0;
      taken_ = reader_->len - reader_->pos;
      return std::exchange(root_, {});
    }
    if (!feed()) break;
  }
  return std::nullopt;
}

bool reply_reader::feed() {
  if (rest_.empty()) return false;
  const auto part = rest_.substr(0, slice);
  rest_.remove_prefix(part.size());
  taken_ += part.size();
  if (taken_ > max_reply_ + slice) {
    fail(failure::too_large, {});
    return false;
  }
  if (redisReaderFeed(reader_.get(), part.data(), part.size()) != REDIS_OK) {
    fail(failure::protocol, "no memory for a reply");
    return false;
  }
  return true;
}

void reply_reader::fail(failure how, std::string why) {
  failed_ = how;
  why_ = how == failure::too_large ? "a reply of more than " + format_size(max_reply_)
                                   : std::move(why);
  rest_ = {};
  root_ = {};
}

}  // namespace scalekit::redis::detail

#include "harness.hpp"
#include "redis/load.hpp"
#include "redis/server.hpp"

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>

namespace bench::redis {

namespace {

struct context_deleter {
  void operator()(redisContext* c) const noexcept { redisFree(c); }
};
using context_ptr = std::unique_ptr<redisContext, context_deleter>;

context_ptr connect(std::uint16_t port) {
  context_ptr c(redisConnect("127.0.0.1", port));
  if (!c || c->err != 0) throw std::runtime_error("hiredis did not connect");
  return c;
}

void check(redisReply* r) {
  if (r == nullptr || r->type != REDIS_REPLY_STRING ||
      static_cast<std::size_t>(r->len) != value_size) {
    throw std::runtime_error("a GET found another value");
  }
  freeReplyObject(r);
}

struct get_words {
  explicit get_words(std::string_view key) : words{"GET", key.data()}, sizes{3, key.size()} {}
  const char* words[2];
  std::size_t sizes[2];
};

}  // namespace

double raw_blocking_gets(std::uint16_t port) {
  const auto c = connect(port);
  random_keys keys(0);
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      get_words get(keys.next());
      check(static_cast<redisReply*>(redisCommandArgv(c.get(), 2, get.words, get.sizes)));
    }
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

double raw_pipelined_gets(std::uint16_t port, std::size_t depth) {
  const auto c = connect(port);
  random_keys keys(0);
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t done = 0; done < n; done += depth) {
      for (std::size_t i = 0; i < depth; ++i) {
        get_words get(keys.next());
        redisAppendCommandArgv(c.get(), 2, get.words, get.sizes);
      }
      for (std::size_t i = 0; i < depth; ++i) {
        void* r = nullptr;
        if (redisGetReply(c.get(), &r) != REDIS_OK) throw std::runtime_error("hiredis failed");
        check(static_cast<redisReply*>(r));
      }
    }
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

}  // namespace bench::redis

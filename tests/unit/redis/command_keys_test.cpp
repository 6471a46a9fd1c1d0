#include "redis/command_keys.hpp"

#include "redis/key_slot.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/script.hpp"
#include "scalekit/redis/transaction.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace scalekit::redis;
using scalekit::redis::detail::slot_of;
using scalekit::redis::detail::slots_of;

namespace {

using words = std::vector<std::string>;

words keys_of(const words& line) {
  command c(line.front());
  c.add(words(line.begin() + 1, line.end()));
  const auto r = scalekit::redis::detail::to_request(std::move(c));
  const auto found = scalekit::redis::detail::keys_of(r.name, r.wire());
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("each kind of command says where its keys are") {
  struct row {
    words line, keys;
  };
  const std::vector<row> rows{
      {{"GET", "k"}, {"k"}},
      {{"get", "k"}, {"k"}},
      {{"SET", "k", "v", "EX", "3"}, {"k"}},
      {{"HSET", "k", "f", "v"}, {"k"}},
      {{"PING"}, {}},
      {{"PING", "hello"}, {}},
      {{"ECHO", "hello"}, {}},
      {{"INFO", "server"}, {}},
      {{"CONFIG", "GET", "maxmemory"}, {}},
      {{"SCRIPT", "LOAD", "return 1"}, {}},
      {{"PUBLISH", "channel", "m"}, {}},
      {{"SPUBLISH", "channel", "m"}, {"channel"}},
      {{"MGET", "a", "b", "c"}, {"a", "b", "c"}},
      {{"DEL", "a", "b"}, {"a", "b"}},
      {{"MSET", "a", "1", "b", "2"}, {"a", "b"}},
      {{"MSETNX", "a", "1", "b"}, {"a", "b"}},
      {{"RENAME", "a", "b"}, {"a", "b"}},
      {{"COPY", "a", "b", "REPLACE"}, {"a", "b"}},
      {{"BLPOP", "a", "b", "0"}, {"a", "b"}},
      {{"BLMOVE", "a", "b", "LEFT", "RIGHT", "0"}, {"a", "b"}},
      {{"BITOP", "AND", "to", "a", "b"}, {"to", "a", "b"}},
      {{"OBJECT", "ENCODING", "k"}, {"k"}},
      {{"MEMORY", "USAGE", "k"}, {"k"}},
      {{"MEMORY", "DOCTOR"}, {}},
      {{"XGROUP", "CREATE", "k", "g", "$"}, {"k"}},
      {{"EVAL", "return 1", "2", "a", "b", "x"}, {"a", "b"}},
      {{"EVALSHA", "0123", "0", "x"}, {}},
      {{"FCALL_RO", "f", "1", "a", "x"}, {"a"}},
      {{"EVAL", "return 1", "999999999999999999999", "a"}, {}},
      {{"EVAL", "return 1", "9", "a"}, {"a"}},
      {{"EVAL", "return 1", "-1", "a"}, {}},
      {{"ZUNION", "2", "a", "b", "WITHSCORES"}, {"a", "b"}},
      {{"ZUNIONSTORE", "to", "2", "a", "b"}, {"to", "a", "b"}},
      {{"SINTERCARD", "2", "a", "b", "LIMIT", "1"}, {"a", "b"}},
      {{"BZMPOP", "0", "1", "a", "MIN"}, {"a"}},
      {{"XREAD", "COUNT", "2", "STREAMS", "a", "b", "0", "0"}, {"a", "b"}},
      {{"XREADGROUP", "GROUP", "g", "c", "streams", "a", ">"}, {"a"}},
      {{"XREAD", "COUNT", "2"}, {}},
      {{"MIGRATE", "host", "1", "k", "0", "5"}, {"k"}},
      // Not known: the first.
      {{"JSON.SET", "k", "$", "{}"}, {"k"}},
      {{"NOSUCH"}, {}},
      {{"GET"}, {}},
      {{"BLPOP", "a"}, {}},
  };
  for (const auto& row : rows) {
    std::string line;
    for (const auto& word : row.line) line += word + " ";
    INFO(line);
    CHECK(keys_of(row.line) == row.keys);
  }
}

TEST_CASE("a key of any bytes is taken as it is") {
  const std::string key("a\r\n$1\r\n\0", 9);
  CHECK(keys_of({"GET", key}) == words{key});
  CHECK(keys_of({"MGET", key, "", key}) == words{key, "", key});
}

TEST_CASE("the slots of a transaction are those of all its commands") {
  const auto same = slots_of(scalekit::redis::detail::to_request(
      transaction(command("INCR", "{u}a"), command("PING"), command("MGET", "{u}b", "{u}c"))));
  CHECK(same.first == slot_of("u"));
  CHECK_FALSE(same.other);

  const auto two = slots_of(scalekit::redis::detail::to_request(
      transaction(command("INCR", "a"), command("MGET", "a", "b"))));
  CHECK(two.first == slot_of("a"));
  CHECK(two.other == slot_of("b"));

  const auto none = slots_of(scalekit::redis::detail::to_request(transaction(command("PING"))));
  CHECK_FALSE(none.first);
}

TEST_CASE("a script's slot is that of its keys") {
  const script s("return 1");
  const auto r = scalekit::redis::detail::to_request(s({"{u}a", "{u}b"}, "not a key"));
  CHECK(slots_of(r).first == slot_of("u"));
  CHECK_FALSE(slots_of(r).other);
  CHECK_FALSE(slots_of(scalekit::redis::detail::to_request(s({}, "x"))).first);
}

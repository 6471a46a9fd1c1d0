#include "redis/command_table.hpp"

#include "redis/ascii.hpp"
#include "redis/wire_arguments.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace scalekit::redis::detail {
namespace {

enum class what : std::uint8_t {
  read,
  blocks,
  /// Waits, if it says BLOCK before STREAMS.
  may_block_read,
  may_block,
  /// Subcommands decide.
  client,
  script,
  session,
  transaction,
  subscription,
  stream,
  wait,
};

struct row {
  std::string_view name;
  what is;
};

// Of Redis 7.0. Sorted by name.
constexpr std::array rows{
    row{"ASKING", what::session},
    row{"AUTH", what::session},
    row{"BITCOUNT", what::read},
    row{"BITFIELD_RO", what::read},
    row{"BITPOS", what::read},
    row{"BLMOVE", what::blocks},
    row{"BLMPOP", what::blocks},
    row{"BLPOP", what::blocks},
    row{"BRPOP", what::blocks},
    row{"BRPOPLPUSH", what::blocks},
    row{"BZMPOP", what::blocks},
    row{"BZPOPMAX", what::blocks},
    row{"BZPOPMIN", what::blocks},
    row{"CLIENT", what::client},
    row{"COMMAND", what::read},
    row{"DBSIZE", what::read},
    row{"DISCARD", what::transaction},
    row{"DUMP", what::read},
    row{"ECHO", what::read},
    row{"EVALSHA_RO", what::read},
    row{"EVAL_RO", what::read},
    row{"EXEC", what::transaction},
    row{"EXISTS", what::read},
    row{"EXPIRETIME", what::read},
    row{"FCALL_RO", what::read},
    row{"GEODIST", what::read},
    row{"GEOHASH", what::read},
    row{"GEOPOS", what::read},
    row{"GEORADIUSBYMEMBER_RO", what::read},
    row{"GEORADIUS_RO", what::read},
    row{"GEOSEARCH", what::read},
    row{"GET", what::read},
    row{"GETBIT", what::read},
    row{"GETRANGE", what::read},
    row{"HELLO", what::session},
    row{"HEXISTS", what::read},
    row{"HGET", what::read},
    row{"HGETALL", what::read},
    row{"HKEYS", what::read},
    row{"HLEN", what::read},
    row{"HMGET", what::read},
    row{"HRANDFIELD", what::read},
    row{"HSCAN", what::read},
    row{"HSTRLEN", what::read},
    row{"HVALS", what::read},
    row{"INFO", what::read},
    row{"KEYS", what::read},
    row{"LASTSAVE", what::read},
    row{"LCS", what::read},
    row{"LINDEX", what::read},
    row{"LLEN", what::read},
    row{"LOLWUT", what::read},
    row{"LPOS", what::read},
    row{"LRANGE", what::read},
    row{"MGET", what::read},
    row{"MONITOR", what::stream},
    row{"MULTI", what::transaction},
    row{"OBJECT", what::read},
    row{"PEXPIRETIME", what::read},
    row{"PFCOUNT", what::read},
    row{"PING", what::read},
    row{"PSUBSCRIBE", what::subscription},
    row{"PSYNC", what::stream},
    row{"PTTL", what::read},
    row{"PUBSUB", what::read},
    row{"PUNSUBSCRIBE", what::subscription},
    row{"QUIT", what::session},
    row{"RANDOMKEY", what::read},
    row{"READONLY", what::session},
    row{"READWRITE", what::session},
    row{"REPLCONF", what::stream},
    row{"RESET", what::session},
    row{"ROLE", what::read},
    row{"SCAN", what::read},
    row{"SCARD", what::read},
    row{"SCRIPT", what::script},
    row{"SDIFF", what::read},
    row{"SELECT", what::session},
    row{"SINTER", what::read},
    row{"SINTERCARD", what::read},
    row{"SISMEMBER", what::read},
    row{"SMEMBERS", what::read},
    row{"SMISMEMBER", what::read},
    row{"SORT_RO", what::read},
    row{"SRANDMEMBER", what::read},
    row{"SSCAN", what::read},
    row{"SSUBSCRIBE", what::subscription},
    row{"STRLEN", what::read},
    row{"SUBSCRIBE", what::subscription},
    row{"SUBSTR", what::read},
    row{"SUNION", what::read},
    row{"SUNSUBSCRIBE", what::subscription},
    row{"SYNC", what::stream},
    row{"TIME", what::read},
    row{"TOUCH", what::read},
    row{"TTL", what::read},
    row{"TYPE", what::read},
    row{"UNSUBSCRIBE", what::subscription},
    row{"UNWATCH", what::transaction},
    row{"WAIT", what::wait},
    row{"WAITAOF", what::wait},
    row{"WATCH", what::transaction},
    row{"XINFO", what::read},
    row{"XLEN", what::read},
    row{"XPENDING", what::read},
    row{"XRANGE", what::read},
    row{"XREAD", what::may_block_read},
    row{"XREADGROUP", what::may_block},
    row{"XREVRANGE", what::read},
    row{"ZCARD", what::read},
    row{"ZCOUNT", what::read},
    row{"ZDIFF", what::read},
    row{"ZINTER", what::read},
    row{"ZINTERCARD", what::read},
    row{"ZLEXCOUNT", what::read},
    row{"ZMSCORE", what::read},
    row{"ZRANDMEMBER", what::read},
    row{"ZRANGE", what::read},
    row{"ZRANGEBYLEX", what::read},
    row{"ZRANGEBYSCORE", what::read},
    row{"ZRANK", what::read},
    row{"ZREVRANGE", what::read},
    row{"ZREVRANGEBYLEX", what::read},
    row{"ZREVRANGEBYSCORE", what::read},
    row{"ZREVRANK", what::read},
    row{"ZSCAN", what::read},
    row{"ZSCORE", what::read},
    row{"ZUNION", what::read},
};

static_assert(std::ranges::is_sorted(rows, {}, &row::name));

/// Where the names with each first letter begin, A to Z, and the end.
constexpr auto starts = [] {
  std::array<std::uint8_t, 27> at{};
  for (std::size_t letter = 0; letter < at.size(); ++letter) {
    at[letter] = static_cast<std::uint8_t>(
        std::ranges::count_if(rows, [&](const row& r) { return r.name[0] < char('A' + letter); }));
  }
  return at;
}();

constexpr std::size_t longest =
    std::ranges::max(rows, {}, [](const row& r) { return r.name.size(); }).name.size();

bool says_block(std::string_view wire) noexcept {
  wire_arguments arguments(wire);
  arguments.next();
  while (const auto each = arguments.next()) {
    if (is_word(*each, "STREAMS")) return false;
    if (is_word(*each, "BLOCK")) return true;
  }
  return false;
}

constexpr std::string_view on_shared =
    "not on a connection that others share: it would change it for them";

command_kind of_client(std::string_view wire) noexcept {
  wire_arguments arguments(wire);
  arguments.next();
  const auto sub = arguments.next().value_or("");
  for (const std::string_view harmless :
       {"LIST", "INFO", "ID", "GETNAME", "KILL", "PAUSE", "UNPAUSE", "UNBLOCK", "HELP"}) {
    if (is_word(sub, harmless)) return {};
  }
  return {.refused = on_shared};
}

command_kind of_script(std::string_view wire) noexcept {
  wire_arguments arguments(wire);
  arguments.next();
  const auto sub = arguments.next().value_or("");
  if (is_word(sub, "DEBUG")) return {.refused = on_shared};
  return {.is_read = is_word(sub, "EXISTS") || is_word(sub, "LOAD")};
}

command_kind of(what is, std::string_view wire) noexcept {
  switch (is) {
    case what::read:
      return {.is_read = true};
    case what::blocks:
      return {.blocks = true};
    case what::may_block_read:
      return {.is_read = true, .blocks = says_block(wire)};
    case what::may_block:
      return {.blocks = says_block(wire)};
    case what::client:
      return of_client(wire);
    case what::script:
      return of_script(wire);
    case what::session:
      return {.refused = on_shared};
    case what::transaction:
      return {.refused =
                  "not on a connection that others share: use redis::transaction, and a "
                  "script where it must decide by what it has read"};
    case what::subscription:
      return {.refused = "not on a connection that others share: use redis::subscriber"};
    case what::stream:
      return {.refused = "its answers have no end"};
    case what::wait:
      return {.refused =
                  "it hears of the writes of its own connection only, and this client's go "
                  "over several",
              .refusal = errc::not_supported};
  }
  return {};
}

}  // namespace

command_kind kind_of(std::string_view name, std::string_view wire) noexcept {
  if (name.size() > longest) return {};
  std::array<char, longest> text{};
  std::ranges::transform(name, text.begin(), upper);
  const std::string_view wanted(text.data(), name.size());
  const auto letter = static_cast<std::size_t>(text[0] - 'A');
  if (text[0] < 'A' || text[0] > 'Z') return {};
  for (std::size_t i = starts[letter]; i < starts[letter + 1]; ++i) {
    if (rows[i].name == wanted) return of(rows[i].is, wire);
  }
  return {};
}

}  // namespace scalekit::redis::detail

#include "redis/command_keys.hpp"

#include "redis/ascii.hpp"
#include "redis/key_slot.hpp"
#include "redis/wire_arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace scalekit::redis::detail {
namespace {

/// Where keys are. Positions count from the name, which is 0.
struct key_rule {
  /// 0: nowhere.
  int first = 1;
  /// Negative: from the end, where -1 is the last argument.
  int last = 1;
  int step = 1;
  /// Where it says how many keys follow; 0: nowhere.
  int number_at = 0;
};

constexpr key_rule first_argument{};
constexpr key_rule nowhere{0, 0, 1, 0};
constexpr key_rule all{1, -1, 1, 0};
constexpr key_rule all_but_last{1, -2, 1, 0};
constexpr key_rule pairs{1, -1, 2, 0};
constexpr key_rule two{1, 2, 1, 0};
constexpr key_rule second{2, 2, 1, 0};
constexpr key_rule from_second{2, -1, 1, 0};
constexpr key_rule counted{0, 0, 1, 1};
constexpr key_rule counted_second{0, 0, 1, 2};
constexpr key_rule stored_counted{1, 1, 1, 2};
/// After STREAMS, and half of what stands there.
constexpr key_rule streams{-1, -1, 1, 0};

struct key_row {
  std::string_view name;
  key_rule rule;
};

// What is not as most are, of Redis 7.0. Sorted by name.
constexpr std::array key_rows{
    key_row{"ACL", nowhere},
    key_row{"BGREWRITEAOF", nowhere},
    key_row{"BGSAVE", nowhere},
    key_row{"BITOP", from_second},
    key_row{"BLMOVE", two},
    key_row{"BLMPOP", counted_second},
    key_row{"BLPOP", all_but_last},
    key_row{"BRPOP", all_but_last},
    key_row{"BRPOPLPUSH", two},
    key_row{"BZMPOP", counted_second},
    key_row{"BZPOPMAX", all_but_last},
    key_row{"BZPOPMIN", all_but_last},
    key_row{"CLIENT", nowhere},
    key_row{"CLUSTER", nowhere},
    key_row{"COMMAND", nowhere},
    key_row{"CONFIG", nowhere},
    key_row{"COPY", two},
    key_row{"DBSIZE", nowhere},
    key_row{"DEBUG", second},
    key_row{"DEL", all},
    key_row{"ECHO", nowhere},
    key_row{"EVAL", counted_second},
    key_row{"EVALSHA", counted_second},
    key_row{"EVALSHA_RO", counted_second},
    key_row{"EVAL_RO", counted_second},
    key_row{"EXEC", nowhere},
    key_row{"EXISTS", all},
    key_row{"FAILOVER", nowhere},
    key_row{"FCALL", counted_second},
    key_row{"FCALL_RO", counted_second},
    key_row{"FLUSHALL", nowhere},
    key_row{"FLUSHDB", nowhere},
    key_row{"FUNCTION", nowhere},
    key_row{"GEOSEARCHSTORE", two},
    key_row{"INFO", nowhere},
    key_row{"KEYS", nowhere},
    key_row{"LASTSAVE", nowhere},
    key_row{"LATENCY", nowhere},
    key_row{"LCS", two},
    key_row{"LMOVE", two},
    key_row{"LMPOP", counted},
    key_row{"LOLWUT", nowhere},
    key_row{"MEMORY", second},
    key_row{"MGET", all},
    key_row{"MIGRATE", key_rule{3, 3, 1, 0}},
    key_row{"MODULE", nowhere},
    key_row{"MSET", pairs},
    key_row{"MSETNX", pairs},
    key_row{"MULTI", nowhere},
    key_row{"OBJECT", second},
    key_row{"PFCOUNT", all},
    key_row{"PFMERGE", all},
    key_row{"PING", nowhere},
    key_row{"PUBLISH", nowhere},
    key_row{"PUBSUB", nowhere},
    key_row{"RANDOMKEY", nowhere},
    key_row{"RENAME", two},
    key_row{"RENAMENX", two},
    key_row{"REPLICAOF", nowhere},
    key_row{"ROLE", nowhere},
    key_row{"RPOPLPUSH", two},
    key_row{"SAVE", nowhere},
    key_row{"SCAN", nowhere},
    key_row{"SCRIPT", nowhere},
    key_row{"SDIFF", all},
    key_row{"SDIFFSTORE", all},
    key_row{"SHUTDOWN", nowhere},
    key_row{"SINTER", all},
    key_row{"SINTERCARD", counted},
    key_row{"SINTERSTORE", all},
    key_row{"SLAVEOF", nowhere},
    key_row{"SLOWLOG", nowhere},
    key_row{"SMOVE", two},
    key_row{"SUNION", all},
    key_row{"SUNIONSTORE", all},
    key_row{"SWAPDB", nowhere},
    key_row{"TIME", nowhere},
    key_row{"TOUCH", all},
    key_row{"UNLINK", all},
    key_row{"XGROUP", second},
    key_row{"XINFO", second},
    key_row{"XREAD", streams},
    key_row{"XREADGROUP", streams},
    key_row{"ZDIFF", counted},
    key_row{"ZDIFFSTORE", stored_counted},
    key_row{"ZINTER", counted},
    key_row{"ZINTERCARD", counted},
    key_row{"ZINTERSTORE", stored_counted},
    key_row{"ZMPOP", counted},
    key_row{"ZRANGESTORE", two},
    key_row{"ZUNION", counted},
    key_row{"ZUNIONSTORE", stored_counted},
};

static_assert(std::ranges::is_sorted(key_rows, {}, &key_row::name));

key_rule rule_of(std::string_view name) {
  std::string wanted(name);
  std::ranges::transform(wanted, wanted.begin(), upper);
  const auto found = std::ranges::lower_bound(key_rows, wanted, {}, &key_row::name);
  return found != key_rows.end() && found->name == wanted ? found->rule : first_argument;
}

using words = std::vector<std::string_view>;

words words_of(std::string_view wire) {
  words all_words;
  wire_arguments arguments(wire);
  while (const auto each = arguments.next()) all_words.push_back(*each);
  return all_words;
}

void add_streams(const words& from, words& keys) {
  const auto is_streams = [](std::string_view word) { return is_word(word, "STREAMS"); };
  const auto at = std::ranges::find_if(from, is_streams);
  if (at == from.end()) return;
  keys.insert(keys.end(), at + 1, at + 1 + (from.end() - at - 1) / 2);
}

void add_counted(const words& from, std::size_t number_at, words& keys) {
  if (number_at >= from.size()) return;
  const auto text = from[number_at];
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return;
  const auto rest = from.size() - number_at - 1;
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(number_at) + 1;
  keys.insert(keys.end(), begin, begin + static_cast<std::ptrdiff_t>(std::min(number, rest)));
}

}  // namespace

std::vector<std::string_view> keys_of(std::string_view name, std::string_view wire) {
  const auto rule = rule_of(name);
  words keys;
  if (rule.first == 1 && rule.last == 1 && rule.number_at == 0) {
    wire_arguments arguments(wire);
    arguments.next();
    if (const auto key = arguments.next()) keys.push_back(*key);
    return keys;
  }
  if (rule.first == 0 && rule.number_at == 0) return keys;
  const auto from = words_of(wire);
  if (rule.first < 0) {
    add_streams(from, keys);
    return keys;
  }
  const auto size = static_cast<int>(from.size());
  const int last = std::min(rule.last < 0 ? size + rule.last : rule.last, size - 1);
  for (int at = rule.first; at > 0 && at <= last; at += rule.step) {
    keys.push_back(from[static_cast<std::size_t>(at)]);
  }
  if (rule.number_at > 0) add_counted(from, static_cast<std::size_t>(rule.number_at), keys);
  return keys;
}

std::optional<std::string_view> wire_commands::next() noexcept {
  if (rest_.size() < 2) return std::nullopt;
  std::size_t count = 0;
  std::from_chars(rest_.data() + 1, rest_.data() + rest_.size(), count);
  wire_arguments arguments(rest_);
  for (std::size_t i = 0; i < count; ++i) arguments.next();
  const auto found = rest_.substr(0, rest_.size() - arguments.rest().size());
  rest_ = arguments.rest();
  return found;
}

slot_span slots_of(const request& what) {
  slot_span span;
  wire_commands commands(what.wire());
  while (const auto each = commands.next()) {
    const auto name = wire_arguments(*each).next().value_or("");
    for (const auto key : keys_of(name, *each)) {
      const auto slot = slot_of(key);
      if (!span.first) span.first = slot;
      if (slot != *span.first && !span.other) span.other = slot;
    }
  }
  return span;
}

}  // namespace scalekit::redis::detail

#include "redis/command_keys.hpp"

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

struct row {
  std::string_view name;
  key_rule rule;
};

// What is not as most are, of Redis 7.0. Sorted by name.
constexpr std::array rows{
    row{"ACL", nowhere},
    row{"BGREWRITEAOF", nowhere},
    row{"BGSAVE", nowhere},
    row{"BITOP", from_second},
    row{"BLMOVE", two},
    row{"BLMPOP", counted_second},
    row{"BLPOP", all_but_last},
    row{"BRPOP", all_but_last},
    row{"BRPOPLPUSH", two},
    row{"BZMPOP", counted_second},
    row{"BZPOPMAX", all_but_last},
    row{"BZPOPMIN", all_but_last},
    row{"CLIENT", nowhere},
    row{"CLUSTER", nowhere},
    row{"COMMAND", nowhere},
    row{"CONFIG", nowhere},
    row{"COPY", two},
    row{"DBSIZE", nowhere},
    row{"DEBUG", second},
    row{"DEL", all},
    row{"ECHO", nowhere},
    row{"EVAL", counted_second},
    row{"EVALSHA", counted_second},
    row{"EVALSHA_RO", counted_second},
    row{"EVAL_RO", counted_second},
    row{"EXEC", nowhere},
    row{"EXISTS", all},
    row{"FAILOVER", nowhere},
    row{"FCALL", counted_second},
    row{"FCALL_RO", counted_second},
    row{"FLUSHALL", nowhere},
    row{"FLUSHDB", nowhere},
    row{"FUNCTION", nowhere},
    row{"GEOSEARCHSTORE", two},
    row{"INFO", nowhere},
    row{"KEYS", nowhere},
    row{"LASTSAVE", nowhere},
    row{"LATENCY", nowhere},
    row{"LCS", two},
    row{"LMOVE", two},
    row{"LMPOP", counted},
    row{"LOLWUT", nowhere},
    row{"MEMORY", second},
    row{"MGET", all},
    row{"MIGRATE", key_rule{3, 3, 1, 0}},
    row{"MODULE", nowhere},
    row{"MSET", pairs},
    row{"MSETNX", pairs},
    row{"MULTI", nowhere},
    row{"OBJECT", second},
    row{"PFCOUNT", all},
    row{"PFMERGE", all},
    row{"PING", nowhere},
    row{"PUBLISH", nowhere},
    row{"PUBSUB", nowhere},
    row{"RANDOMKEY", nowhere},
    row{"RENAME", two},
    row{"RENAMENX", two},
    row{"REPLICAOF", nowhere},
    row{"ROLE", nowhere},
    row{"RPOPLPUSH", two},
    row{"SAVE", nowhere},
    row{"SCAN", nowhere},
    row{"SCRIPT", nowhere},
    row{"SDIFF", all},
    row{"SDIFFSTORE", all},
    row{"SHUTDOWN", nowhere},
    row{"SINTER", all},
    row{"SINTERCARD", counted},
    row{"SINTERSTORE", all},
    row{"SLAVEOF", nowhere},
    row{"SLOWLOG", nowhere},
    row{"SMOVE", two},
    row{"SUNION", all},
    row{"SUNIONSTORE", all},
    row{"SWAPDB", nowhere},
    row{"TIME", nowhere},
    row{"TOUCH", all},
    row{"UNLINK", all},
    row{"XGROUP", second},
    row{"XINFO", second},
    row{"XREAD", streams},
    row{"XREADGROUP", streams},
    row{"ZDIFF", counted},
    row{"ZDIFFSTORE", stored_counted},
    row{"ZINTER", counted},
    row{"ZINTERCARD", counted},
    row{"ZINTERSTORE", stored_counted},
    row{"ZMPOP", counted},
    row{"ZRANGESTORE", two},
    row{"ZUNION", counted},
    row{"ZUNIONSTORE", stored_counted},
};

static_assert(std::ranges::is_sorted(rows, {}, &row::name));

constexpr char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

key_rule rule_of(std::string_view name) {
  std::string wanted(name);
  std::ranges::transform(wanted, wanted.begin(), upper);
  const auto found = std::ranges::lower_bound(rows, wanted, {}, &row::name);
  return found != rows.end() && found->name == wanted ? found->rule : first_argument;
}

using words = std::vector<std::string_view>;

words words_of(std::string_view wire) {
  words all_words;
  wire_arguments arguments(wire);
  while (const auto each = arguments.next()) all_words.push_back(*each);
  return all_words;
}

void add_streams(const words& from, words& keys) {
  const auto is_streams = [](std::string_view word) {
    return std::ranges::equal(word, std::string_view("STREAMS"), {}, upper);
  };
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

#include "redis/split_call.hpp"

#include "redis/ascii.hpp"
#include "redis/key_slot.hpp"
#include "redis/wire_arguments.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::redis::detail {
namespace {

struct split_row {
  std::string_view name;
  split_kind kind;
};

constexpr split_row split_rows[] = {
    {"DEL", split_kind::numbers}, {"EXISTS", split_kind::numbers}, {"MGET", split_kind::values},
    {"MSET", split_kind::pairs},  {"TOUCH", split_kind::numbers},  {"UNLINK", split_kind::numbers},
};

void append_word(std::string& to, std::string_view word) {
  to.append("$").append(std::to_string(word.size())).append("\r\n");
  to.append(word).append("\r\n");
}

struct slot_words {
  std::string wire = {};
  std::size_t count = 0;
  std::vector<std::size_t> keys = {};
};

error not_the_answer(const std::string& command) {
  return {errc::backend_error, command + ": a node's answer is not what this command is answered"};
}

void throw_failure(const request& what, const std::vector<call_outcome>& outcomes) {
  const call_outcome* worst = nullptr;
  std::size_t failed = 0;
  for (const auto& each : outcomes) {
    if (!each.failure) continue;
    ++failed;
    if (worst == nullptr ||
        (outcome_unknown(to_error(each.failure)) && !outcome_unknown(to_error(worst->failure)))) {
      worst = &each;
    }
  }
  if (worst == nullptr) return;
  const auto e = to_error(worst->failure);
  if (what.is_read) throw e;
  auto diag = e.diag();
  diag.client_message += "; its keys are in " + std::to_string(outcomes.size()) +
                         " slots, and it was done in " + std::to_string(outcomes.size() - failed) +
                         " of them";
  throw error(e.code(), std::move(diag));
}

}  // namespace

split_kind split_kind_of(const request& what) noexcept {
  const auto is_named = [&](const split_row& r) { return is_word(what.name, r.name); };
  const auto* found = std::ranges::find_if(split_rows, is_named);
  return found == std::end(split_rows) ? split_kind::none : found->kind;
}

std::vector<split_part> split_by_slot(const request& what) {
  const bool has_values = split_kind_of(what) == split_kind::pairs;
  std::map<std::uint16_t, slot_words> by_slot;
  wire_arguments arguments(what.wire());
  arguments.next();
  for (std::size_t n = 0; const auto key = arguments.next(); ++n) {
    auto& to = by_slot[slot_of(*key)];
    append_word(to.wire, *key);
    ++to.count;
    to.keys.push_back(n);
    if (!has_values) continue;
    // Where the last value is missing the node says so.
    if (const auto value = arguments.next()) {
      append_word(to.wire, *value);
      ++to.count;
    }
  }
  std::vector<split_part> parts;
  for (auto& [slot, words] : by_slot) {
    auto& part = parts.emplace_back();
    part.what = {.name = what.name, .is_read = what.is_read};
    part.what.bytes = "*" + std::to_string(words.count + 1) + "\r\n";
    append_word(part.what.bytes, what.name);
    part.what.bytes += words.wire;
    part.keys = std::move(words.keys);
  }
  return parts;
}

reply join(const request& what, const std::vector<split_part>& parts,
           std::vector<call_outcome>&& outcomes) {
  throw_failure(what, outcomes);
  switch (split_kind_of(what)) {
    case split_kind::values: {
      std::size_t keys = 0;
      for (const auto& part : parts) keys += part.keys.size();
      reply all{.kind = reply_kind::array};
      all.elements.resize(keys);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& some = outcomes[i].answer.elements;
        if (some.size() != parts[i].keys.size()) throw not_the_answer(what.name);
        for (std::size_t k = 0; k < some.size(); ++k) {
          all.elements[parts[i].keys[k]] = std::move(some[k]);
        }
      }
      return all;
    }
    case split_kind::numbers: {
      reply sum{.kind = reply_kind::integer};
      for (const auto& each : outcomes) {
        if (each.answer.kind != reply_kind::integer) throw not_the_answer(what.name);
        // No node has so many keys that this overflows, unless it does not tell the truth.
        if (each.answer.integer < 0 || each.answer.integer > INT32_MAX) {
          throw not_the_answer(what.name);
        }
        sum.integer += each.answer.integer;
      }
      return sum;
    }
    default:
      return outcomes.empty() ? reply{} : std::move(outcomes.front().answer);
  }
}

}  // namespace scalekit::redis::detail

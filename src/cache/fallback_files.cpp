#include "cache/fallback_files.hpp"

#include "cache/errors.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <utility>

namespace scalekit::cache::detail {
namespace {

/// Entries come sealed and compressed as the server would have them, with a header of their own.
store_params params_of_files(const store_params& params) {
  constexpr std::size_t header_room = std::size_t{1} << 17;
  store_params files;
  files.file.directory = params.fallback.directory;
  files.file.max_bytes = params.fallback.max_bytes;
  files.max_value_bytes = params.max_value_bytes + header_room;
  files.clock = params.clock;
  files.log = params.log;
  return files;
}

std::string placeholder_of(const fill_token& token) {
  std::array<char, token_bytes> bytes;
  static_assert(sizeof token == token_bytes);
  std::memcpy(bytes.data(), &token, token_bytes);
  return make_placeholder(fallback_epoch, {bytes.data(), bytes.size()});
}

}  // namespace

fallback_files::fallback_files(const store_params& params)
    : prefix_(params.shared_namespace + ":"),
      ttl_(params.fallback.ttl),
      files_(params_of_files(params)) {}

fallback_store::tokens fallback_files::begin(const shared_request& what) {
  tokens all;
  // Each stripe is moved once, so that keys that share one do not cost each other.
  std::map<std::uint32_t, fill_token> moved;
  const auto move = [&](const std::string& key) {
    const auto stripe = file_name(full(key)).stripe;
    const auto [token, is_new] = moved.try_emplace(stripe);
    if (is_new) token->second = files_.gate().advance(stripe);
    all.push_back(token->second);
  };
  for (const auto& key : what.keys) move(key);
  for (const auto& item : what.items) move(item.key);
  return all;
}

shared_answer fallback_files::run(const shared_request& what, const deadline& until,
                                  const tokens& begun) {
  shared_answer answer;
  switch (what.verb) {
    case shared_verb::find:
      for (const auto& key : what.keys) {
        answer.found.push_back(until.expired() ? std::nullopt : find(full(key)));
      }
      break;
    case shared_verb::claim:
      answer.found.emplace_back(claim(full(what.keys.at(0))));
      break;
    case shared_verb::fill:
      answer.stored.push_back(fill(what.items.at(0), what.expected, until));
      break;
    case shared_verb::put:
      for (std::size_t i = 0; i < what.items.size(); ++i) {
        answer.stored.push_back(put(what.items[i], begun.at(i), until));
      }
      break;
    case shared_verb::erase:
      for (const auto& key : what.keys) erase(full(key), until);
      break;
    case shared_verb::clear:
      clear();
      break;
  }
  return answer;
}

std::optional<std::string> fallback_files::find(const std::string& key) {
  auto found = files_.find(key, file_name(key));
  if (!found) return std::nullopt;
  return std::move(found->value);
}

std::string fallback_files::claim(const std::string& key) {
  // Before it is looked at: what is changed from here on is not filled over.
  const auto token = files_.gate().current(file_name(key).stripe);
  return find(key).value_or(placeholder_of(token));
}

bool fallback_files::fill(const shared_item& item, const std::string& expected,
                          const deadline& until) {
  const auto key = full(item.key);
  const file_name name(key);
  const auto turn = files_.turn(name.stripe, until);
  if (!turn) throw writers_error();
  const auto token = files_.gate().current(name.stripe);
  if (!is_same(find(key).value_or(placeholder_of(token)), expected)) return false;
  const auto framed = make_value(fallback_epoch, item.bytes);
  auto entry = entry_of(item, key, framed);
  entry.token = token;
  const auto written = files_.fill(entry, name, until);
  if (!written.stored && !written.fenced) {
    throw error(errc::io_error, "the cache's fallback could not be written");
  }
  return written.stored;
}

bool fallback_files::put(const shared_item& item, const fill_token& begun, const deadline& until) {
  const auto key = full(item.key);
  const file_name name(key);
  const auto turn = files_.turn(name.stripe, until);
  if (!turn) throw writers_error();
  if (files_.gate().current(name.stripe) != begun) {
    // Another change has begun since: which of the two was the last elsewhere nobody knows here.
    files_.erase(name, until);
    return false;
  }
  const auto framed = make_value(fallback_epoch, item.bytes);
  return files_.replace(entry_of(item, key, framed), name, until).stored;
}

void fallback_files::erase(const std::string& key, const deadline& until) {
  const file_name name(key);
  const auto turn = files_.turn(name.stripe, until);
  if (!turn) throw writers_error();
  files_.erase(name, until);
}

void fallback_files::forget(std::string_view key) noexcept {
  try {
    files_.bury(file_name(full(key)).stripe);
  } catch (const std::bad_alloc&) {
    clear();
  }
}

fallback_store::counts fallback_files::counted() const noexcept {
  const auto& seen = files_.counted();
  const auto bytes = files_.directory().table().shared().bytes.load();
  return {bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0,
          seen.read_errors.value() + seen.write_errors.value() + seen.paused.value()};
}

file_entry fallback_files::entry_of(const shared_item& item, const std::string& key,
                                    const std::string& framed) const {
  file_entry entry;
  entry.key = key;
  entry.value = framed;
  entry.created_us = item.created_us;
  const auto life = std::min(std::chrono::microseconds(item.ttl), ttl_);
  entry.fresh_until_us = entry.expires_us = entry.created_us + life.count();
  return entry;
}

}  // namespace scalekit::cache::detail

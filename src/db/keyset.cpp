#include "scalekit/db/keyset.hpp"

#include "core/base64url.hpp"
#include "core/require.hpp"
#include "core/sha256.hpp"
#include "scalekit/core/detail/packed_values.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/bulk.hpp"

#include <cstdint>
#include <utility>

namespace scalekit::db {

using scalekit::detail::pack;
using scalekit::detail::unpack;

namespace {

// Part of every cursor that is out there, as are packed values.
constexpr char version = 1;
constexpr std::string_view domain = "scalekit keyset";
// Half of the digest, the least that RFC 2104 recommends: 128 bits.
constexpr std::size_t tag_size = 16;

error bad_cursor() {
  return {
      errc::invalid_argument,
      "the page cursor is damaged, or not one of this listing; start again from the first page"};
}

void check(const keyset_params& params) {
  using scalekit::detail::require_range;
  require_range("keyset_params.secret.size()", params.secret.size(), 16, 1024);
  if (!params.previous_secret.empty()) {
    require_range("keyset_params.previous_secret.size()", params.previous_secret.size(), 16, 1024);
  }
  require_range("keyset_params.context.size()", params.context.size(), 1, 256);
  require_range("keyset_params.columns.size()", params.columns.size(), 1, 16);
  for (const auto& column : params.columns) {
    require_range("the size of a name in keyset_params.columns", column.size(), 1, 256);
  }
}

}  // namespace

keyset::keyset(keyset_params params) : params_(std::move(params)) {
  check(params_);
  pack(prefix_, value_view(domain));
  pack(prefix_, value_view(std::string_view(params_.context)));
  pack(prefix_, value_view(std::int64_t{params_.descending}));
  for (const auto& column : params_.columns) {
    pack(prefix_, value_view(std::string_view(column)));
    const auto name = detail::quoted_column(column);
    row_ += (row_.empty() ? "" : ", ") + name;
    order_ += (order_.empty() ? " order by " : ", ") + name + (params_.descending ? " desc" : "");
  }
}

statement keyset::page(const statement& query, std::string_view cursor, std::size_t limit) const {
  auto next = query.parameters().size();
  // The end of the query may be a comment.
  auto text = "select * from (" + std::string(query.text()) + "\n) as page";
  value_list key;
  if (!cursor.empty()) {
    key = key_of(cursor);
    text += " where (" + row_ + (params_.descending ? ") < (" : ") > (");
    for (std::size_t i = 0; i < key.size(); ++i) {
      text += (i == 0 ? "$" : ", $") + std::to_string(++next);
    }
    text += ")";
  }
  text += order_ + " limit $" + std::to_string(++next);
  auto out = unsafe_sql({std::move(text), query.site()});
  for (std::size_t i = 0; i < query.parameters().size(); ++i) out.bind(query.parameters()[i]);
  for (std::size_t i = 0; i < key.size(); ++i) out.bind(key[i]);
  return out.bind(limit);
}

std::string keyset::sign(const value_list& key) const {
  if (key.size() != params_.columns.size()) {
    throw error(errc::invalid_argument, "a key of this listing has " +
                                            std::to_string(params_.columns.size()) +
                                            " values, not " + std::to_string(key.size()));
  }
  std::string payload(1, version);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto kind = key[i].kind();
    if (kind == value_kind::null || kind == value_kind::array) {
      throw error(errc::invalid_argument, "a key of a listing has neither nulls nor arrays");
    }
    pack(payload, key[i]);
  }
  auto text = scalekit::detail::to_base64url(payload + tag_of(params_.secret, payload));
  if (text.size() > max_cursor_size) {
    throw error(errc::too_large, "a page cursor has at most " + std::to_string(max_cursor_size) +
                                     " characters; this key needs " + std::to_string(text.size()));
  }
  return text;
}

value_list keyset::key_of(std::string_view cursor) const {
  if (cursor.size() > max_cursor_size) throw bad_cursor();
  const auto decoded = scalekit::detail::from_base64url(cursor);
  if (!decoded || decoded->size() <= tag_size) throw bad_cursor();
  const auto payload = std::string_view(*decoded).substr(0, decoded->size() - tag_size);
  const auto tag = std::string_view(*decoded).substr(payload.size());
  const auto is_signed_with = [&](const std::string& secret) {
    return scalekit::detail::equal_in_constant_time(tag, tag_of(secret, payload));
  };
  const bool is_ours = is_signed_with(params_.secret) || (!params_.previous_secret.empty() &&
                                                          is_signed_with(params_.previous_secret));
  if (!is_ours) throw bad_cursor();

  if (payload.front() != version) throw bad_cursor();
  value_list key;
  for (auto rest = payload.substr(1); !rest.empty();) key.add(unpack(rest));
  if (key.size() != params_.columns.size()) throw bad_cursor();
  return key;
}

std::string keyset::tag_of(std::string_view secret, std::string_view payload) const {
  const auto digest = scalekit::detail::hmac_sha256(secret, prefix_ + std::string(payload));
  return {reinterpret_cast<const char*>(digest.data()), tag_size};
}

}  // namespace scalekit::db

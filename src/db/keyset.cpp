#include "scalekit/db/keyset.hpp"

#include "core/base64url.hpp"
#include "core/require.hpp"
#include "core/sha256.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/bulk.hpp"

#include <boost/endian/conversion.hpp>

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace scalekit::db {
namespace {

// Part of every cursor that is out there: never change what they mean.
constexpr char version = 1;
constexpr char integer_mark = 'i', real_mark = 'r', text_mark = 't', blob_mark = 'b';
constexpr std::string_view domain = "scalekit keyset";
// Half of the digest, the least that RFC 2104 recommends: 128 bits.
constexpr std::size_t tag_size = 16;
constexpr std::size_t length_size = 4;

void put_length(std::string& to, std::size_t length) {
  std::array<std::uint8_t, length_size> bytes;
  boost::endian::store_big_u32(bytes.data(), static_cast<std::uint32_t>(length));
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void put_word(std::string& to, std::uint64_t word) {
  std::array<std::uint8_t, 8> bytes;
  boost::endian::store_big_u64(bytes.data(), word);
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void put_text(std::string& to, std::string_view text) {
  put_length(to, text.size());
  to.append(text);
}

std::string_view as_text(std::span<const std::byte> blob) {
  return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

error bad_cursor() {
  return {
      errc::invalid_argument,
      "the page cursor is damaged, or not one of this listing; start again from the first page"};
}

/// Reads what put_...() wrote. Throws errc::invalid_argument beyond the end.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const noexcept { return rest_.empty(); }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw bad_cursor();
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint64_t word() {
    return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(take(8).data()));
  }
  std::string_view text() {
    const auto* length = reinterpret_cast<const unsigned char*>(take(length_size).data());
    return take(boost::endian::load_big_u32(length));
  }

 private:
  std::string_view rest_;
};

void put_value(std::string& to, const value_view& value) {
  switch (value.kind()) {
    case value_kind::integer:
      to += integer_mark;
      return put_word(to, static_cast<std::uint64_t>(value.integer()));
    case value_kind::real:
      to += real_mark;
      return put_word(to, std::bit_cast<std::uint64_t>(value.real()));
    case value_kind::text:
      to += text_mark;
      return put_text(to, value.text());
    case value_kind::blob:
      to += blob_mark;
      return put_text(to, as_text(value.blob()));
    case value_kind::null:
    case value_kind::array:
      break;
  }
  throw error(errc::invalid_argument, "a key of a listing has neither nulls nor arrays");
}

void read_value(reader& from, value_list& to) {
  switch (from.take(1).front()) {
    case integer_mark:
      return to.add(static_cast<std::int64_t>(from.word()));
    case real_mark:
      return to.add(std::bit_cast<double>(from.word()));
    case text_mark:
      return to.add(from.text());
    case blob_mark: {
      const auto bytes = from.text();
      return to.add(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
    default:
      throw bad_cursor();
  }
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
  put_text(prefix_, domain);
  put_text(prefix_, params_.context);
  prefix_ += params_.descending ? 'd' : 'a';
  put_length(prefix_, params_.columns.size());
  for (const auto& column : params_.columns) {
    put_text(prefix_, column);
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
  for (std::size_t i = 0; i < key.size(); ++i) put_value(payload, key[i]);
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

  reader from(payload);
  if (from.take(1).front() != version) throw bad_cursor();
  value_list key;
  while (!from.at_end()) read_value(from, key);
  if (key.size() != params_.columns.size()) throw bad_cursor();
  return key;
}

std::string keyset::tag_of(std::string_view secret, std::string_view payload) const {
  const auto digest = scalekit::detail::hmac_sha256(secret, prefix_ + std::string(payload));
  return {reinterpret_cast<const char*>(digest.data()), tag_size};
}

}  // namespace scalekit::db

#include "scalekit/redis/from_reply.hpp"

#include "redis/server_error.hpp"
#include "scalekit/redis/detail/call.hpp"

#include <charconv>
#include <cmath>

namespace scalekit::redis::detail {
namespace {

template <class T>
std::optional<T> number_in(std::string_view text) noexcept {
  T value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether digits alone stand there, which then are too many.
bool is_long_number(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

void refuse(const reply& got, const std::string& wanted) {
  if (got.kind == reply_kind::error) raise(got);
  if (got.kind == reply_kind::nil) {
    throw error(errc::not_found, "the reply is nil where " + wanted + " was asked for");
  }
  throw error(errc::column_mismatch, std::string("the reply is ") + to_string(got.kind) +
                                         " where " + wanted + " was asked for");
}

void refuse_range(const std::string& wanted) {
  throw error(errc::value_out_of_range,
              "the reply is a number out of the range of " + wanted + ", which was asked for");
}

void refuse_size(std::size_t got, const std::string& wanted) {
  throw error(errc::column_mismatch, "the reply is an array of " + std::to_string(got) +
                                         " elements where " + wanted + " was asked for");
}

void raise(const reply& refused) {
  throw server_error(refused, "a command inside it", {});
}

std::int64_t signed_from(const reply& got, std::int64_t least, std::int64_t most,
                         const std::string& wanted) {
  auto value = std::optional(got.integer);
  if (got.kind == reply_kind::text) {
    value = number_in<std::int64_t>(got.text);
    if (!value && is_long_number(got.text)) refuse_range(wanted);
  } else if (got.kind != reply_kind::integer) {
    value.reset();
  }
  if (!value) refuse(got, wanted);
  if (*value < least || *value > most) refuse_range(wanted);
  return *value;
}

std::uint64_t unsigned_from(const reply& got, std::uint64_t most, const std::string& wanted) {
  std::optional<std::uint64_t> value;
  if (got.kind == reply_kind::text) {
    value = number_in<std::uint64_t>(got.text);
    if (!value && is_long_number(got.text)) refuse_range(wanted);
  } else if (got.kind == reply_kind::integer) {
    if (got.integer < 0) refuse_range(wanted);
    value = static_cast<std::uint64_t>(got.integer);
  }
  if (!value) refuse(got, wanted);
  if (*value > most) refuse_range(wanted);
  return *value;
}

double double_from(const reply& got) {
  if (got.kind == reply_kind::integer) return static_cast<double>(got.integer);
  const auto value = got.kind == reply_kind::text ? number_in<double>(got.text) : std::nullopt;
  if (!value) refuse(got, "number");
  return *value;
}

bool bool_from(const reply& got) {
  switch (got.kind) {
    case reply_kind::integer:
      if (got.integer == 0 || got.integer == 1) return got.integer == 1;
      refuse_range("bool");
    case reply_kind::status:
      if (got.text == "OK") return true;
      break;
    case reply_kind::nil:
      return false;
    default:
      break;
  }
  refuse(got, "bool");
}

void rethrow_conversion(const std::string& command, const std::string& server) {
  try {
    throw;
  } catch (const error& e) {
    auto diag = e.diag();
    diag.client_message = command + ": " + diag.client_message;
    if (diag.origin.empty()) diag.origin = server;
    throw error(e.code(), std::move(diag));
  }
}

}  // namespace scalekit::redis::detail

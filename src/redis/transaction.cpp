#include "scalekit/redis/transaction.hpp"

#include "scalekit/core/error.hpp"

#include <cstdint>
#include <string_view>

namespace scalekit::redis {
namespace {

constexpr std::string_view multi = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view exec = "*1\r\n$4\r\nEXEC\r\n";

}  // namespace

transaction& transaction::add(command c) {
  const auto r = detail::to_request(std::move(c));
  if (wire_.empty()) wire_ = multi;
  wire_ += r.wire();
  ++count_;
  only_reads_ = only_reads_ && r.is_read;
  return *this;
}

namespace detail {

request to_request(transaction&& t) {
  if (t.count_ == 0) throw error(errc::invalid_argument, "a transaction without a command");
  t.wire_ += exec;
  return {.name = "MULTI",
          .bytes = std::move(t.wire_),
          .replies = static_cast<std::uint32_t>(t.count_ + 2),
          .is_read = t.only_reads_};
}

}  // namespace detail
}  // namespace scalekit::redis

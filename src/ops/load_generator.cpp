#include "scalekit/ops/load_generator.hpp"

#include "core/require.hpp"
#include "ops/load_run.hpp"
#include "scalekit/core/execution.hpp"

#include <boost/asio/ip/address_v4.hpp>

#include <algorithm>
#include <utility>

namespace scalekit::ops {
namespace {

using namespace std::chrono_literals;
using scalekit::detail::require;
using scalekit::detail::require_range;

bool is_host(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '/';
  });
}

void validate(const load_params& p) {
  require(is_host(p.host), "load_params.host", "'" + p.host + "'", "an IP address or a name");
  require_range("load_params.port", p.port, 1, 65535);
  require_range("load_params.connections", p.connections, 1, 20'000);
  require_range("load_params.clients", p.clients, 1, p.connections);
  require_range("load_params.timeout", p.timeout, 1ms, 1h);
  require_range("load_params.connect_timeout", p.connect_timeout, 1ms, 1min);
  require_range("load_params.max_waiting", p.max_waiting, 1, 10'000'000);
  require_range("load_params.max_lateness", p.max_lateness, 100us, 1min);
  require_range("load_params.kinds.size()", p.kinds.size(), 1, 256);
  require_range("load_params.capture_bytes", p.capture_bytes, 0, std::size_t{1} << 20);
  if (!p.first_local_address.empty()) {
    boost::system::error_code ec;
    boost::asio::ip::make_address_v4(p.first_local_address, ec);
    require(!ec, "load_params.first_local_address", p.first_local_address, "an IPv4 address");
  }
  arrival_schedule{p.stages, p.arrivals, p.seed};
}

}  // namespace

load_generator::load_generator(load_params params) : params_(std::move(params)) {
  validate(params_);
}

load_generator::~load_generator() = default;

load_report load_generator::run(std::stop_token stop) {
  io_thread_mark::check_blocking_allowed("load_generator::run");
  // Callbacks run inside: a blocking call there would stop the generator.
  io_thread_mark mark;
  return detail::load_run(params_, std::move(stop)).run();
}

}  // namespace scalekit::ops

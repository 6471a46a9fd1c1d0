#include "ops/load_run.hpp"

#include "scalekit/core/error.hpp"

#include <boost/asio/connect.hpp>

#include <algorithm>
#include <stdexcept>
#include <sys/resource.h>
#include <utility>

namespace scalekit::ops::detail {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// The listen queue of a server is short: more dials at a time would be refused or delayed.
constexpr std::size_t max_dials = 64;
// Timeouts, stop requests and delayed dials are looked at this often.
constexpr auto tick_interval = 10ms;
// Waking more often costs more processor time than the precision is worth.
constexpr auto least_sleep = 100us;
// Responses must be read in between, however far the generator is behind.
constexpr int max_taken_up_at_once = 256;

time_point clock_now() {
  return std::chrono::steady_clock::now();
}

std::chrono::nanoseconds thread_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  auto of = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::string authority_of(const load_params& params) {
  bool is_v6 = params.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + params.host + "]" : params.host) + ":" + std::to_string(params.port);
}

asio::ip::tcp::endpoint resolve(asio::io_context& io, const load_params& params) {
  boost::system::error_code ec;
  auto address = asio::ip::make_address(params.host, ec);
  if (!ec) return {address, params.port};
  asio::ip::tcp::resolver resolver(io);
  auto found = resolver.resolve(params.host, std::to_string(params.port), ec);
  if (ec || found.empty()) {
    throw error(errc::unavailable,
                "load_generator: cannot look up host '" + params.host + "': " + ec.message());
  }
  // "localhost" tends to give ::1 first, where most servers do not listen.
  for (const auto& entry : found) {
    if (entry.endpoint().address().is_v4()) return entry.endpoint();
  }
  return found.begin()->endpoint();
}

std::optional<asio::ip::address> local_address(const load_params& params, std::size_t client) {
  if (params.first_local_address.empty()) return std::nullopt;
  auto first = asio::ip::make_address_v4(params.first_local_address);
  return asio::ip::address_v4(first.to_uint() + static_cast<std::uint32_t>(client));
}

}  // namespace

load_run::load_run(const load_params& params, std::stop_token stop)
    : params_(params),
      stop_(std::move(stop)),
      authority_(authority_of(params)),
      schedule_(params.stages, params.arrivals, params.seed),
      board_(params.connections, params.clients, params.max_waiting),
      tally_(params.kinds) {}

load_report load_run::run() {
  server_ = resolve(io_, params_);
  open_connections();
  on_timer();
  io_.run();
  return make_report(clock_now());
}

// ---- connections

void load_run::open_connections() {
  auto now = clock_now();
  opening_deadline_ = now + params_.connect_timeout;
  next_tick_ = now;
  for (std::size_t i = 0; i < params_.connections; ++i) {
    auto local = local_address(params_, board_.client_of(i));
    connections_.emplace_back(*this, io_, i, local, params_.capture_bytes);
    ready_dials_.push_back(&connections_.back());
  }
  start_dials(now);
}

void load_run::start_dials(time_point now) {
  while (dialling_ < max_dials && !ready_dials_.empty()) {
    auto give_up = now + params_.connect_timeout;
    if (phase_ == phase::opening) {
      // Second attempts belong to the run.
      if (first_dials_started_ == connections_.size()) return;
      ++first_dials_started_;
      give_up = opening_deadline_;
    }
    ++dialling_;
    auto& c = *ready_dials_.front();
    ready_dials_.pop_front();
    c.connect(server_, give_up);
  }
}

void load_run::redial(load_connection& c) {
  board_.withdraw(c.index());
  auto now = clock_now();
  auto when = c.retry_at(now);
  if (when > now) {
    delayed_dials_.push_back({&c, when});
  } else {
    ready_dials_.push_back(&c);
    start_dials(now);
  }
}

void load_run::settle_dial() {
  --dialling_;
  auto now = clock_now();
  if (phase_ == phase::opening && ++first_dials_settled_ == connections_.size()) begin(now);
  start_dials(now);
}

void load_run::on_connected(load_connection& c) {
  ++connects_;
  if (phase_ != phase::opening) ++reconnects_;
  serve(c);
  settle_dial();
}

void load_run::on_connect_failed(load_connection& c, const boost::system::error_code& why) {
  ++connect_failures_;
  last_connect_error_ = why;
  redial(c);
  settle_dial();
}

void load_run::on_response(load_connection& c, flight& f) {
  auto now = clock_now();
  auto status = c.reader().status();
  tally_.answered(f.kind, now - f.sent);
  end(f, outcome_of(status), now, status, c.reader().body());
  if (c.is_open()) {
    serve(c);
  } else {
    redial(c);
  }
}

void load_run::on_lost(load_connection& c, flight* f) {
  if (f) end(*f, load_outcome::connection_error, clock_now());
  redial(c);
}

// ---- the course of the run

void load_run::begin(time_point now) {
  if (connects_ == 0) {
    throw error(errc::unavailable, "load_generator: cannot connect to " + authority_ + ": " +
                                       last_connect_error_.message() + " (" +
                                       std::to_string(connect_failures_) + " attempts)");
  }
  phase_ = phase::running;
  begin_ = now;
  end_ = now + schedule_.duration();
  next_progress_ = now + 1s;
  cpu_at_begin_ = thread_cpu();
  if (params_.closed_loop) {
    for (auto& c : connections_) {
      if (c.is_open() && !c.current()) send_closed_loop(c);
    }
  } else if (auto first = schedule_.next()) {
    next_due_ = begin_ + *first;
  }
}

void load_run::finish() {
  phase_ = phase::finished;
  io_.stop();
}

void load_run::on_timer() {
  auto now = clock_now();
  take_up_due();
  if (now >= next_tick_) tick(now);
  if (phase_ == phase::finished) return;
  auto wake = next_due_ ? std::min(*next_due_, next_tick_) : next_tick_;
  timer_.expires_at(std::max(wake, clock_now() + least_sleep));
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) on_timer();
  });
}

void load_run::tick(time_point now) {
  next_tick_ = now + tick_interval;
  if (stop_.stop_requested()) return drop_everything(now);
  expire(now);
  for (auto& c : connections_) c.check_dial(now);
  if (phase_ == phase::opening) {
    if (now >= opening_deadline_) begin(now);
    return;
  }
  std::erase_if(delayed_dials_, [&](const delayed_dial& d) {
    if (d.not_before > now) return false;
    ready_dials_.push_back(d.connection);
    return true;
  });
  start_dials(now);
  if (params_.on_progress && now >= next_progress_) report_progress(now);
  if (now >= end_ && !next_due_ && !board_.oldest()) finish();
}

void load_run::expire(time_point now) {
  for (auto* f = board_.oldest(); f && now - f->due >= params_.timeout; f = board_.oldest()) {
    if (f->connection) {
      auto& c = connections_[*f->connection];
      c.abandon();
      redial(c);
    }
    end(*f, load_outcome::timeout, now);
  }
}

void load_run::drop_everything(time_point now) {
  stopped_ = true;
  next_due_.reset();
  for (auto* f = board_.oldest(); f; f = board_.oldest()) {
    if (f->connection) connections_[*f->connection].abandon();
    end(*f, load_outcome::dropped, now);
  }
  finish();
}

void load_run::report_progress(time_point now) {
  next_progress_ += 1s;
  params_.on_progress(
      {now - begin_, schedule_.duration(), tally_.counts(), board_.waiting(), board_.in_flight()});
}

// ---- requests

void load_run::take_up_due() {
  if (!next_due_) return;
  auto now = clock_now();
  for (int i = 0; i < max_taken_up_at_once && next_due_ && *next_due_ <= now; ++i) {
    auto due = *next_due_;
    auto next = schedule_.next();
    next_due_ = next ? std::optional(begin_ + *next) : std::nullopt;
    take_up(due);
  }
}

void load_run::take_up(time_point due) {
  auto& f = board_.open(due);
  fill_in(f);
  auto now = clock_now();
  tally_.due(f.kind, now - due);
  if (board_.assign(f)) {
    dispatch(f);
  } else if (!board_.enqueue(f)) {
    end(f, load_outcome::dropped, now);
  }
}

/// Gives a connection that is free its next request.
void load_run::serve(load_connection& c) {
  if (params_.closed_loop) {
    if (phase_ == phase::running) send_closed_loop(c);
  } else if (auto* f = board_.next_for(c.index())) {
    dispatch(*f);
  }
}

void load_run::send_closed_loop(load_connection& c) {
  auto now = clock_now();
  if (now >= end_) return;
  auto& f = board_.open(now);
  fill_in(f);
  f.client = board_.client_of(c.index());
  f.connection = c.index();
  tally_.due(f.kind, 0ns);
  dispatch(f);
}

void load_run::fill_in(flight& f) {
  request_.clear();
  if (params_.source) params_.source(request_);
  if (params_.closed_loop) request_.client.reset();
  if (request_.kind >= params_.kinds.size() || request_.client.value_or(0) >= params_.clients) {
    throw std::invalid_argument(
        "load_request.kind or client is out of range; legal: below the number of "
        "load_params.kinds and of load_params.clients");
  }
  f.kind = request_.kind;
  f.tag = request_.tag;
  f.client = request_.client;
  f.is_head = request_.method == "HEAD";
  request_.append_to(f.bytes, authority_);
}

void load_run::dispatch(flight& f) {
  f.sent = clock_now();
  auto kind = f.kind;  // a flight that cannot be sent is gone
  if (connections_[*f.connection].send(f)) tally_.sent(kind);
}

void load_run::end(flight& f, load_outcome outcome, time_point now, unsigned status,
                   std::string_view body) {
  tally_.ended(f.kind, outcome, now - f.due, now <= end_);
  if (params_.on_response) {
    auto client = f.connection ? board_.client_of(*f.connection) : f.client.value_or(0);
    params_.on_response({outcome, status, f.kind, f.tag, client, body, now - f.due});
  }
  board_.close(f);
}

load_report load_run::make_report(time_point now) const {
  load_report report;
  bool began = begin_ != time_point{};
  if (began) report.duration = std::min<std::chrono::nanoseconds>(now - begin_, end_ - begin_);
  tally_.fill(report, params_.max_lateness);
  report.connect_failures = connect_failures_;
  report.reconnects = reconnects_;
  report.stopped = stopped_;
  if (began && now > begin_) {
    auto share = std::chrono::duration<double>(thread_cpu() - cpu_at_begin_) /
                 std::chrono::duration<double>(now - begin_);
    report.generator_cpu = std::clamp(share, 0.0, 1.0);
  }
  return report;
}

}  // namespace scalekit::ops::detail

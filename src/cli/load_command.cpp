#include "cli/commands.hpp"
#include "cli/load_options.hpp"
#include "scalekit/ops/load_generator.hpp"
#include "scalekit/ops/load_threshold.hpp"

#include <CLI/App.hpp>

#include <csignal>
#include <iostream>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::cli {
namespace {

/// A threshold was crossed: the exit code that k6 uses, too.
constexpr int exit_threshold = 99;

struct load_arguments {
  std::string url;
  double rate = 100;
  std::string duration = "10s";
  std::vector<std::string> stages;
  std::string timeout = "10s";
  std::string max_lateness = "10ms";
  std::string method = "GET";
  std::vector<std::string> headers;
  std::string body;
  bool constant = false;
  bool json = false;
  bool quiet = false;
  std::vector<std::string> fail_if;
  ops::load_params params;
};

volatile std::sig_atomic_t interrupted = 0;

/// Once is a wish to see the report of what was done so far; twice kills.
void on_interrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

std::pair<std::string, std::string> split_header(const std::string& text) {
  auto colon = text.find(':');
  if (colon == std::string::npos) {
    throw std::invalid_argument("--header is '" + text + "'; legal: 'Name: value'");
  }
  auto value = text.find_first_not_of(' ', colon + 1);
  return {text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)};
}

void show(const ops::load_progress& now) {
  auto seconds = [](std::chrono::nanoseconds d) {
    return std::chrono::duration_cast<std::chrono::seconds>(d).count();
  };
  std::cerr << "\r" << seconds(now.elapsed) << "/" << seconds(now.duration)
            << " s: " << now.counts.due << " due, " << now.counts.ok << " ok, "
            << now.counts.limited << " limited, " << now.counts.failed() << " failed, "
            << now.waiting << " waiting   " << std::flush;
}

ops::load_params to_params(const load_arguments& args) {
  auto params = args.params;
  auto url = parse_load_url(args.url);
  params.host = url.host;
  params.port = url.port;
  params.timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(parse_duration(args.timeout));
  params.max_lateness =
      std::chrono::duration_cast<std::chrono::microseconds>(parse_duration(args.max_lateness));
  for (const auto& stage : args.stages) params.stages.push_back(parse_stage(stage));
  if (params.stages.empty()) {
    params.stages.push_back({.duration = parse_duration(args.duration), .rate = args.rate});
  }
  if (args.constant) params.arrivals = ops::spacing::constant;
  std::vector<std::pair<std::string, std::string>> headers;
  headers.reserve(args.headers.size());
  for (const auto& header : args.headers) headers.push_back(split_header(header));
  params.source = [url, headers, method = args.method, body = args.body, clients = params.clients,
                   n = std::size_t{0}](ops::load_request& r) mutable {
    r.method = method;
    r.target = url.target;
    r.body = body;
    if (clients > 1) r.client = n++ % clients;
    for (const auto& [name, value] : headers) r.header(name, value);
  };
  return params;
}

int run(const load_arguments& args) {
  std::vector<ops::load_threshold> thresholds;
  thresholds.reserve(args.fail_if.size());
  for (const auto& text : args.fail_if) thresholds.push_back(ops::load_threshold::parse(text));
  auto params = to_params(args);
  std::stop_source stop;
  params.on_progress = [&](const ops::load_progress& now) {
    if (!args.quiet) show(now);
    if (interrupted) stop.request_stop();
  };
  ops::load_generator generator(std::move(params));
  std::signal(SIGINT, on_interrupt);

  auto report = generator.run(stop.get_token());

  std::signal(SIGINT, SIG_DFL);
  if (!args.quiet) std::cerr << "\n";
  std::cout << (args.json ? ops::to_json(report) + "\n" : ops::to_text(report));
  int code = report.generator_saturated ? 2 : 0;
  for (const auto& threshold : thresholds) {
    if (!threshold.is_crossed(report)) continue;
    std::cerr << "crossed: " << threshold.text() << "\n";
    code = exit_threshold;
  }
  return code;
}

}  // namespace

void add_load_command(CLI::App& app, action& chosen) {
  auto args = std::make_shared<load_arguments>();
  auto* load = app.add_subcommand("load", "Send HTTP requests by a schedule and report latencies");
  load->add_option("URL", args->url, "http://HOST[:PORT][/PATH][?QUERY]")->required();
  load->add_option("--rate", args->rate, "requests a second")->capture_default_str();
  load->add_option("--duration", args->duration, "length of the run")->capture_default_str();
  load->add_option("--stage", args->stages,
                   "DURATION:RATE or DURATION:FROM-TO, again for more; instead of --rate");
  load->add_option("--connections", args->params.connections, "keep-alive connections")
      ->capture_default_str();
  load->add_option("--timeout", args->timeout, "of a request, from when it was due")
      ->capture_default_str();
  load->add_option("--method", args->method, "HTTP method")->capture_default_str();
  load->add_option("--header", args->headers, "'Name: value', again for more");
  load->add_option("--body", args->body, "request body");
  load->add_option("--clients", args->params.clients, "clients that share the connections")
      ->capture_default_str();
  load->add_option("--first-address", args->params.first_local_address,
                   "local IPv4 address of the first client; the others count up from it");
  load->add_option("--seed", args->params.seed, "of the schedule")->capture_default_str();
  load->add_flag("--constant", args->constant, "even spacing instead of Poisson arrivals");
  load->add_flag("--closed-loop", args->params.closed_loop,
                 "send whenever a connection is free: finds the capacity, hides stalls");
  load->add_option("--fail-if", args->fail_if,
                   "exit 99 if crossed, such as 'p99>200ms' or 'failed>1%'; again for more");
  load->add_option("--max-lateness", args->max_lateness,
                   "of the generator at p99, above which its figures are not to be trusted")
      ->capture_default_str();
  load->add_flag("--json", args->json, "print one JSON object");
  load->add_flag("--quiet", args->quiet, "no progress on stderr");
  load->footer(
      "Latency counts from the time at which a request was due, not from when it could be sent.\n"
      "Exit codes: 0 fine, 1 could not run, 2 the generator was too slow for the rate, "
      "99 a --fail-if was crossed.");
  load->callback([args, &chosen] { chosen = [args] { return run(*args); }; });
}

}  // namespace scalekit::cli

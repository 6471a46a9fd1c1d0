// The command as a shell sees it: output and exit code.

#include "integration/ops/test_server.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/wait.h>

namespace {

struct outcome {
  int exit_code = -1;
  std::string output;
};

outcome run(const std::string& arguments) {
  outcome result;
  auto line = std::string(SCALEKIT_COMMAND) + " load --max-lateness 60s " + arguments + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe);
  std::array<char, 4096> chunk{};
  while (auto n = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    result.output.append(chunk.data(), n);
  }
  result.exit_code = WEXITSTATUS(::pclose(pipe));
  return result;
}

std::string url_of(const test_server& server, const char* target) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

}  // namespace

TEST_CASE("scalekit load prints a table, or JSON") {
  test_server server([](const std::string&) { return script::status(200); });
  auto common = url_of(server, "/x") + " --rate 100 --duration 200ms --constant --connections 4 ";

  auto table = run(common);
  auto json = run(common + "--json --quiet");

  CHECK(table.exit_code == 0);
  CHECK(table.output.find("total      20   20") != std::string::npos);
  CHECK(json.exit_code == 0);
  CHECK(json.output.find("\"ok\":20") != std::string::npos);
  CHECK(server.targets_by_address().at("127.0.0.1").at("/x") == 40);
}

TEST_CASE("a crossed threshold exits with 99 and says which") {
  test_server server([](const std::string&) { return script::status(500); });

  auto result = run(url_of(server, "/") +
                    " --stage 100ms:50 --connections 4 --fail-if 'p99>1h' --fail-if 'failed > 5%'");

  CHECK(result.exit_code == 1);  // hours are no unit of a threshold

  result = run(url_of(server, "/") +
               " --stage 100ms:100 --connections 4 --fail-if 'p99>600s' --fail-if 'failed > 5%'");

  CHECK(result.exit_code == 99);
  CHECK(result.output.find("crossed: failed > 5%") != std::string::npos);
  CHECK(result.output.find("crossed: p99") == std::string::npos);
}

TEST_CASE("wrong arguments and a server that is not there exit with a message") {
  auto wrong = run("https://127.0.0.1/");
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.output.find("legal: http://HOST") != std::string::npos);

  auto absent = run("http://127.0.0.1:1/ --duration 1s");
  CHECK(absent.exit_code == 1);
  CHECK(absent.output.find("cannot connect to 127.0.0.1:1") != std::string::npos);
}

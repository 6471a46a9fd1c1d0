#include "running_shop.hpp"

#include <doctest/doctest.h>

namespace {

using namespace storefront_test;

std::string credentials(const std::string& user, const std::string& password) {
  return R"({"user":")" + user + R"(","password":")" + password + R"("})";
}

TEST_CASE("the right password logs a retailer in, as often as he likes") {
  http_client customer(running_shop().port(), "10.3.0.1");

  for (int i = 0; i < 25; ++i) {
    auto answer = customer.post("/login", credentials("retailer7", "wholesale-7"));
    CHECK(answer.status == 200);
    CHECK(answer.json()["retailer"] == 7);
  }
}

using headers = std::vector<std::pair<std::string, std::string>>;

/// What a browser sends back.
headers cookie_of(const reply& answer) {
  const auto line = answer.header("Set-Cookie");
  return {{"Cookie", "theme=dark; " + line.substr(0, line.find(';'))}};
}

TEST_CASE("who has logged in is known until he logs out, here or everywhere") {
  http_client customer(running_shop().port(), "10.3.0.5");
  const auto first = customer.post("/login", credentials("retailer11", "wholesale-11"));
  const auto second = customer.post("/login", credentials("retailer11", "wholesale-11"));
  const auto other = customer.post("/login", credentials("retailer12", "wholesale-12"));
  CHECK(first.header("Set-Cookie").find("HttpOnly; SameSite=Strict") != std::string::npos);
  CHECK(first.header("Set-Cookie") != second.header("Set-Cookie"));
  auto status_of = [&](const reply& login) {
    return customer.send("GET", "/session", {}, cookie_of(login)).status;
  };

  const auto known = customer.send("GET", "/session", {}, cookie_of(first));
  CHECK(known.json()["user"] == "retailer11");
  CHECK(known.json()["retailer"] == 11);
  CHECK(customer.get("/session").status == 401);
  CHECK(
      customer.send("GET", "/session", {}, {{"Cookie", "session=AAAAAAAAAAAAAAAAAAAAAA"}}).status ==
      401);

  const auto left = customer.send("POST", "/logout", {}, cookie_of(first));
  CHECK(left.status == 200);
  CHECK(left.header("Set-Cookie").find("Max-Age=0") != std::string::npos);
  CHECK(status_of(first) == 401);
  CHECK(status_of(second) == 200);

  CHECK(customer.send("POST", "/logout-everywhere", {}, cookie_of(second)).status == 200);
  CHECK(status_of(second) == 401);
  CHECK(status_of(other) == 200);
  CHECK(customer.post("/logout", {}).status == 401);
}

TEST_CASE("logging in again makes the old id worthless") {
  http_client customer(running_shop().port(), "10.3.0.6");
  const auto before = customer.post("/login", credentials("retailer13", "wholesale-13"));
  const auto after =
      customer.send("POST", "/login", credentials("retailer13", "wholesale-13"), cookie_of(before));
  CHECK(after.status == 200);
  CHECK(customer.send("GET", "/session", {}, cookie_of(before)).status == 401);
  CHECK(customer.send("GET", "/session", {}, cookie_of(after)).status == 200);
}

TEST_CASE("a wrong password and an unknown user look the same") {
  http_client customer(running_shop().port(), "10.3.0.2");

  auto wrong = customer.post("/login", credentials("retailer8", "wholesale-7"));
  auto unknown = customer.post("/login", credentials("nobody", "wholesale-7"));

  CHECK(wrong.status == 401);
  CHECK(unknown.status == 401);
  CHECK(wrong.body == unknown.body);
}

TEST_CASE("an account can be guessed at five times, from wherever") {
  reply last;
  for (int i = 0; i < 6; ++i) {
    http_client guesser(running_shop().port(), "10.3.1." + std::to_string(i));
    last = guesser.post("/login", credentials("retailer9", "guess" + std::to_string(i)));
    if (i < 5) CHECK(last.status == 401);
  }

  CHECK(last.status == 429);
  CHECK(std::stoi(last.header("Retry-After")) >= 1);
  CHECK(last.header("RateLimit").find("login-user") != std::string::npos);
  CHECK(last.header("X-RateLimit-Remaining") == "0");
}

TEST_CASE("an address can guess twenty times, at whichever accounts") {
  http_client guesser(running_shop().port(), "10.3.0.3");
  int refused = 0;
  for (int i = 0; i < 25; ++i) {
    auto answer =
        guesser.post("/login", credentials("retailer" + std::to_string(100 + i), "guess"));
    if (answer.status == 429) ++refused;
  }

  // A minute gives 20 back, so a slow run may be allowed one or two more.
  CHECK(refused >= 3);
}

TEST_CASE("credentials of the wrong shape are refused") {
  http_client customer(running_shop().port(), "10.3.0.4");

  for (const auto& body :
       {std::string("{}"), std::string(R"({"user":1,"password":"x"})"),
        std::string(R"({"user":"","password":"x"})"), credentials("a\\u0000b", "x"),
        credentials(std::string(65, 'a'), "x"), credentials("a", std::string(257, 'x'))}) {
    CAPTURE(body);
    CHECK(customer.post("/login", body).status == 400);
  }
}

}  // namespace

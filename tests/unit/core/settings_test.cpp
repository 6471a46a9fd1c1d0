#include "scalekit/core/settings.hpp"

#include "scalekit/core/error.hpp"
#include "scalekit/core/settings_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using scalekit::setting_origin;
using scalekit::settings_file;
using scalekit::settings_origins;
using scalekit::settings_schema;

namespace {

enum class durability { off, full };

struct store_params {
  std::uint32_t readers = 4;
  durability sync = durability::full;
  std::uint64_t cache_bytes = 8u << 20;
};

struct client_params {
  std::chrono::nanoseconds timeout = 5s;
  std::chrono::seconds lifetime = 1h;
  int retries = 3;
  double share = 0.5;
  bool verbose = false;
  std::string label = {};
  std::string password = {};
  std::vector<std::string> words = {};
  store_params store = {};
};

bool are_different_words(const std::vector<std::string>& words) {
  std::set<std::string_view> seen;
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    const bool is_word = !word.empty() && std::all_of(word.begin(), word.end(),
                                                      [](char c) { return c >= 'a' && c <= 'z'; });
    return is_word && seen.insert(word).second;
  });
}

const settings_schema<client_params>& schema() {
  static const auto store =
      settings_schema<store_params>("store_params")
          .field("readers", &store_params::readers, 1, 64, "Connections for reads")
          .choice("sync", &store_params::sync,
                  {{"off", durability::off}, {"full", durability::full}}, "When a commit is safe")
          .bytes("cache_bytes", &store_params::cache_bytes, 64u << 10, 1u << 30, "Page cache");
  static const auto client =
      settings_schema<client_params>("client_params")
          .field("timeout", &client_params::timeout, 1ms, 24h, "For one call")
          .field("lifetime", &client_params::lifetime, 1s, 24h, "Of a connection")
          .field("retries", &client_params::retries, 0, 10, "Tries after the first")
          .field("share", &client_params::share, 0, 1, "Of the budget")
          .field("verbose", &client_params::verbose, "Log every call")
          .field("label", &client_params::label, "Shown in reports")
          .secret("password", &client_params::password, "For the server")
          .list("words", &client_params::words, "words of letters, each once", are_different_words,
                "Said in this order")
          .nested("store", &client_params::store, store);
  return client;
}

client_params from_query(std::string_view query) {
  client_params params;
  settings_origins origins;
  schema().set_from_query(params, query, "database URL", origins);
  return params;
}

client_params from_json(std::string_view text) {
  client_params params;
  settings_origins origins;
  auto file = settings_file::parse(text, "shop.json");
  file.apply("db", schema(), params, origins);
  return params;
}

}  // namespace

TEST_CASE("every kind of field is read from a query") {
  const auto params = from_query(
      "timeout=250ms&lifetime=90s&retries=0&share=0.25&verbose=on&label=a%26b%20c&password=s3cret"
      "&store.readers=8&store.sync=off&store.cache_bytes=64MiB");

  CHECK(params.timeout == 250ms);
  CHECK(params.lifetime == 90s);
  CHECK(params.retries == 0);
  CHECK(params.share == 0.25);
  CHECK(params.verbose);
  CHECK(params.label == "a&b c");
  CHECK(params.password == "s3cret");
  CHECK(params.store.readers == 8);
  CHECK(params.store.sync == durability::off);
  CHECK(params.store.cache_bytes == 64u << 20);
}

TEST_CASE("pairs may be empty, values may hold what separates names from values") {
  const auto params = from_query("&label=a=b%3Dc+d&&retri%65s=2&");

  CHECK(params.label == "a=b=c+d");
  CHECK(params.retries == 2);
}

TEST_CASE("an empty query changes nothing") {
  CHECK(from_query("").timeout == 5s);
}

TEST_CASE("a key that stands twice in a file is refused: one of the two would be ignored") {
  auto refuse = [](const char* text, const char* message) {
    CHECK_THROWS_WITH_AS(from_json(text), message, std::invalid_argument);
  };

  refuse(R"({"db": {"retries": 1}, "db": {"share": 0.5}})",
         "shop.json: \"db\" is there twice in one object");
  refuse(R"({"db": {"retries": 1, /* and */ "retri\u0065s": 2,}})",
         "shop.json: \"retries\" is there twice in one object");
  CHECK(from_json(R"({"a": {"retries": 1}, "db": {"retries": 2}, "c": [{}, {}]})").retries == 2);
}

TEST_CASE("an error in a query names the place, the field, the value and what is legal") {
  struct row {
    const char* query;
    const char* message;
  };
  const std::array rows{
      row{"timeout=1day", "database URL: timeout is \"1day\"; legal: 1 ms to 1 d"},
      row{"timeout=0", "database URL: timeout is \"0\"; legal: 1 ms to 1 d"},
      row{"lifetime=1500ms", "database URL: lifetime is \"1500ms\"; legal: 1 s to 1 d"},
      row{"retries=11", "database URL: retries is \"11\"; legal: 0 to 10"},
      row{"retries=", "database URL: retries is \"\"; legal: 0 to 10"},
      row{"retries=99999999999999999999",
          "database URL: retries is \"99999999999999999999\"; legal: 0 to 10"},
      row{"store.readers=-1", "database URL: store.readers is \"-1\"; legal: 1 to 64"},
      row{"store.readers=4294967300",
          "database URL: store.readers is \"4294967300\"; legal: 1 to 64"},
      row{"share=nan", "database URL: share is \"nan\"; legal: 0 to 1"},
      row{"verbose=maybe", "database URL: verbose is \"maybe\"; legal: true or false"},
      row{"store.sync=none", "database URL: store.sync is \"none\"; legal: off, full"},
      row{"store.cache_bytes=1KiB",
          "database URL: store.cache_bytes is \"1KiB\"; legal: 64 KiB to 1 GiB"},
      row{"timeuot=1s",
          "database URL: unknown setting \"timeuot\" of client_params; did you mean timeout?"},
      row{"readers=8",
          "database URL: unknown setting \"readers\" of client_params; legal: timeout, lifetime, "
          "retries, share, verbose, label, password, words, store.readers, store.sync, "
          "store.cache_bytes"},
      row{"retries", "database URL: retries is \"\"; legal: 0 to 10"},
      row{"share=1&verbose", "database URL: verbose is \"\"; legal: true or false"},
      row{"retries=1&retries=2", "database URL: \"retries\" is given twice"},
      row{"label=%zz", "database URL: the query is not percent-encoded text"},
      row{"label=%4", "database URL: the query is not percent-encoded text"},
      row{"%=1", "database URL: the query is not percent-encoded text"},
      row{"=1",
          "database URL: unknown setting \"\" of client_params; legal: timeout, lifetime, retries, "
          "share, verbose, label, password, words, store.readers, store.sync, store.cache_bytes"},
  };

  for (const auto& [query, message] : rows) {
    CAPTURE(query);
    CHECK_THROWS_WITH_AS(from_query(query), message, std::invalid_argument);
  }
}

TEST_CASE("hostile bytes in a query are shown short and printable") {
  CHECK_THROWS_WITH_AS(from_query("retries=%0a%1b%ff"),
                       "database URL: retries is \"???\"; legal: 0 to 10", std::invalid_argument);
  const std::string longest(100'000, 'x');
  try {
    from_query("retries=" + longest + "&" + longest + "=1");
    FAIL("must throw");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()).size() < 200);
  }
}

TEST_CASE("an error leaves the struct and the origins as they were") {
  client_params params;
  settings_origins origins;

  CHECK_THROWS(schema().set_from_query(params, "retries=7&timeout=x", "URL", origins));

  CHECK(params.retries == 3);
  CHECK(origins.find("retries") == nullptr);
}

TEST_CASE("a struct filled in code is checked against the same ranges") {
  client_params wrong;
  wrong.store.readers = 0;
  client_params enumerator;
  enumerator.store.sync = static_cast<durability>(7);
  client_params slow;
  slow.timeout = 48h;

  CHECK_NOTHROW(schema().validate({}));
  CHECK_THROWS_WITH_AS(schema().validate(wrong), "client_params.store.readers is 0; legal: 1 to 64",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(schema().validate(enumerator),
                       "client_params.store.sync is an unnamed value; legal: off, full",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(schema().validate(slow), "client_params.timeout is 2 d; legal: 1 ms to 1 d",
                       std::invalid_argument);
}

TEST_CASE("every kind of field is read from JSON") {
  const auto params = from_json(R"({
    "db": {
      "timeout": "250ms",     // a comment
      "lifetime": 90000,
      "retries": 0,
      "share": 0.25,
      "verbose": true,
      "label": "shop",
      "store": { "readers": 8, "sync": "off", "cache_bytes": 1048576, },
      "store.readers": "9",
    },
  })");

  CHECK(params.timeout == 250ms);
  CHECK(params.lifetime == 90s);
  CHECK(params.retries == 0);
  CHECK(params.share == 0.25);
  CHECK(params.verbose);
  CHECK(params.label == "shop");
  CHECK(params.store.readers == 9);
  CHECK(params.store.sync == durability::off);
  CHECK(params.store.cache_bytes == 1u << 20);
}

TEST_CASE("an error in a file names the file and the place in it") {
  struct row {
    const char* text;
    const char* message;
  };
  const std::array rows{
      row{R"({"db": {"retries": 11}})",
          "shop.json at /db/retries: retries is \"11\"; legal: 0 to 10"},
      row{R"({"db": {"store": {"readers": "many"}}})",
          "shop.json at /db/store/readers: store.readers is \"many\"; legal: 1 to 64"},
      row{R"({"db": {"store": {"raeders": 1}}})",
          "shop.json at /db/store/raeders: unknown setting \"store.raeders\" of client_params; "
          "did you mean store.readers?"},
      row{R"({"db": {"a/b~": 1}})",
          "shop.json at /db/a~1b~0: unknown setting \"a/b~\" of client_params; legal: timeout, "
          "lifetime, retries, share, verbose, label, password, words, store.readers, store.sync, "
          "store.cache_bytes"},
      row{R"({"db": {"retries": [1]}})",
          "shop.json at /db/retries: retries is an array; legal: 0 to 10"},
      row{R"({"db": {"retries": null}})",
          "shop.json at /db/retries: retries is null; legal: 0 to 10"},
      row{R"({"db": {"retries": {}}})",
          "shop.json at /db/retries: retries is an object; legal: 0 to 10"},
      row{R"({"db": {"retries": 1.5}})",
          "shop.json at /db/retries: retries is \"1.5\"; legal: 0 to 10"},
      row{R"({"db": {"retries": true}})",
          "shop.json at /db/retries: retries is \"true\"; legal: 0 to 10"},
      row{R"({"db": 5})", "shop.json at /db: must be a JSON object"},
      row{R"([])", "shop.json: must be one JSON object with a section a room"},
      row{"{\n  \"db\": {\n    \"retries\" 3\n  }\n}",
          "shop.json, line 3, column 15: not valid JSON: syntax error"},
      row{"", "shop.json, line 1, column 1: not valid JSON: incomplete JSON"},
      row{"{} {}", "shop.json, line 1, column 4: not valid JSON: extra data"},
  };

  for (const auto& [text, message] : rows) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(from_json(text), message, std::invalid_argument);
  }
}

TEST_CASE("a list is an array in a file, and has ';' between in a URL") {
  using list = std::vector<std::string>;

  CHECK(from_json(R"({"db": {"words": ["two", "one"]}})").words == list{"two", "one"});
  CHECK(from_json(R"({"db": {"words": "two;one"}})").words == list{"two", "one"});
  CHECK(from_query("words=two;one").words == list{"two", "one"});
  CHECK(from_query("").words.empty());
  CHECK(schema().describe(from_query("words=two;one")).at(7).value == "two;one");
}

TEST_CASE("an error in a list names the place of the element, or of the list") {
  struct row {
    const char* text;
    const char* message;
  };
  const std::array rows{
      row{R"({"db": {"words": ["one", "2"]}})",
          "shop.json at /db/words/1: words is \"2\"; legal: words of letters, each once"},
      row{R"({"db": {"words": ["one", ""]}})",
          "shop.json at /db/words/1: words is \"\"; legal: words of letters, each once"},
      row{R"({"db": {"words": [["one"]]}})",
          "shop.json at /db/words/0: words is an array; legal: words of letters, each once"},
      row{R"({"db": {"words": ["one", "two", "one"]}})",
          "shop.json at /db/words: words is \"one;two;one\"; legal: words of letters, each once"},
      row{R"({"db": {"words": []}})",
          "shop.json at /db/words: words is \"\"; legal: words of letters, each once"},
  };

  for (const auto& [text, message] : rows) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(from_json(text), message, std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(from_query("words=one;;two"),
                       "database URL: words is \"one;;two\"; legal: words of letters, each once",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(schema().validate({.words = {"", "one"}}),
                       "client_params.words is ;one; legal: words of letters, each once",
                       std::invalid_argument);
}

TEST_CASE("JSON nested beyond reason, or too large, is refused") {
  CHECK_THROWS_AS(from_json(std::string(100'000, '[')), std::invalid_argument);
  CHECK_THROWS_WITH_AS(from_json(std::string(settings_file::max_bytes + 1, ' ')),
                       "shop.json: larger than 1 MiB", std::invalid_argument);
}

TEST_CASE("a file without the section leaves the defaults") {
  CHECK(from_json(R"({"cache": {}})").timeout == 5s);
  CHECK(from_json("{}").timeout == 5s);
}

TEST_CASE("a section that nobody applied is refused, with the one that was meant") {
  client_params params;
  settings_origins origins;
  auto misspelt = settings_file::parse(R"({"bd": {}})", "shop.json");
  auto foreign = settings_file::parse(R"({"db": {}, "weather": {}})", "shop.json");
  auto good = settings_file::parse(R"({"db": {}})", "shop.json");
  for (auto* file : {&misspelt, &foreign, &good}) file->apply("db", schema(), params, origins);

  CHECK(good.has("db"));
  CHECK_FALSE(misspelt.has("db"));
  CHECK_NOTHROW(good.require_all_used());
  CHECK_THROWS_WITH_AS(misspelt.require_all_used(),
                       "shop.json at /bd: nothing here has settings of that name; did you mean "
                       "db?",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(foreign.require_all_used(),
                       "shop.json at /weather: nothing here has settings of that name",
                       std::invalid_argument);
}

TEST_CASE("a file that cannot be read is an I/O error with its path") {
  try {
    settings_file::load("/nonexistent/shop.json");
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == scalekit::errc::io_error);
    CHECK(e.diag().client_message ==
          "settings file /nonexistent/shop.json: No such file or directory");
  }
  CHECK_THROWS(settings_file::load("/"));
}

TEST_CASE("the effective values are described with their origin, secrets masked") {
  client_params params;
  params.retries = 5;
  settings_origins origins;
  auto file = settings_file::parse(R"({"db": {"timeout": "1s", "label": "from file"}})", "f");
  file.apply("db", schema(), params, origins);
  schema().set_from_query(params, "label=from%20url&password=s3cret", "URL", origins);

  const auto lines = schema().describe(params, origins);

  REQUIRE(lines.size() == 11);
  CHECK(lines[0].name == "timeout");
  CHECK(lines[0].value == "1 s");
  CHECK(lines[0].origin == setting_origin::file);
  CHECK(lines[0].default_value == "5 s");
  CHECK(lines[0].legal == "1 ms to 1 d");
  CHECK(lines[0].doc == "For one call");
  CHECK(lines[1].origin == setting_origin::built_in);
  CHECK(lines[2].value == "5");
  CHECK(lines[2].origin == setting_origin::host);
  CHECK(lines[5].value == "from url");
  CHECK(lines[5].origin == setting_origin::url);
  CHECK(lines[6].name == "password");
  CHECK(lines[6].value == "***");
  CHECK(lines[6].default_value.empty());
  CHECK(lines[10].value == "8 MiB");
  CHECK(std::string(to_string(setting_origin::built_in)) == "default");
}

TEST_CASE("a secret is in no error") {
  struct secretive {
    std::string key = {};
  };
  auto s = settings_schema<secretive>("secretive").secret("key", &secretive::key, "Key");

  secretive params;
  settings_origins origins;
  s.set(params, "key", "hunter2", "here", setting_origin::url, origins);

  CHECK(params.key == "hunter2");
  CHECK(s.describe(params)[0].value == "***");
  CHECK(s.describe({})[0].value.empty());
}

TEST_CASE("the reference is a Markdown table") {
  const auto table = to_markdown(schema().describe({}));

  CHECK(
      table.starts_with("| setting | default | legal | meaning |\n|---|---|---|---|\n"
                        "| `timeout` | 5 s | 1 ms to 1 d | For one call |\n"));
  CHECK(table.find("| `label` | empty | text | Shown in reports |\n") != std::string::npos);
}

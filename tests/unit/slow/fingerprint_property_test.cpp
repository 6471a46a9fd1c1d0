#include "scalekit/slow/fingerprint.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace scalekit::slow;

namespace {

/// Statements with `{n}` for a number, `{s}` for a string, `{l}` for a list and `{r}` for rows.
const std::string_view templates[] = {
    "select a , b from t where id = {n} and name = {s}",
    "SELECT count ( * ) FROM \"Order\" o JOIN line l ON l.order_id = o.id WHERE l.qty > {n}",
    "select * from t where a in ( {l} ) and b between {n} and {n} limit {n}",
    "insert into t ( a , b ) values {r} on conflict ( a ) do update set b = {s}",
    "update t set a = {n} , b = {s} where id in ( {l} ) returning id",
    "with x as ( select {n} as n ) select * from x where n < {n} or s like {s}",
    "delete from t where a = {s} ; select {n}",
};

class generator {
 public:
  explicit generator(unsigned seed) : random_(seed) {}

  /// A statement of template `t`: values, spaces, comments and the case of keywords are drawn.
  std::string statement(std::string_view t) {
    std::string sql = gap();
    std::string word;
    for (char c : std::string(t) + ' ') {
      if (c != ' ') {
        word += c;
        continue;
      }
      sql += filled(word);
      sql += gap();
      word.clear();
    }
    return sql;
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::string gap() {
    static const std::string_view gaps[] = {
        " ", "\n", "\t ", " /* it's */ ", " -- it's\n", "\r\n", " /*;(,*/ ",
    };
    std::string text(gaps[below(7)]);
    if (below(3) == 0) text += gaps[below(7)];
    return text;
  }

  std::string number() {
    static const std::string_view numbers[] = {"0", "42", "-1", "1.5", ".5", "1e5", "-2.5E-3"};
    return std::string(numbers[below(7)]);
  }

  std::string string() {
    static const std::string_view strings[] = {"''",   "'a'",    "'it''s'", "'/*'",
                                               "'--'", "'a;b('", "'\n'"};
    return std::string(strings[below(7)]);
  }

  std::string value() { return below(2) ? number() : string(); }

  std::string filled(const std::string& word) {
    if (word == "{n}") return number();
    if (word == "{s}") return string();
    std::string text;
    const auto count = 1 + below(20);
    if (word == "{l}") {
      for (unsigned i = 0; i < count; ++i) text += (i ? "," : "") + gap() + value();
      return text;
    }
    if (word == "{r}") {
      for (unsigned i = 0; i < count; ++i) {
        text += (i ? "," : "") + gap() + "(" + value() + "," + gap() + value() + ")";
      }
      return text;
    }
    return is_keyword(word, "select") || is_keyword(word, "where") ? recased(word) : word;
  }

  std::string recased(std::string word) {
    for (char& c : word) {
      if (below(2)) c = static_cast<char>(c ^ 0x20);
    }
    return word;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("values, spaces, comments and the case of keywords do not change the fingerprint") {
  for (auto d : {dialect::postgres, dialect::sqlite}) {
    for (auto t : templates) {
      generator draw(7);
      const auto first = normalize(draw.statement(t), d);
      for (int i = 0; i < 300; ++i) {
        const auto sql = draw.statement(t);
        const auto other = normalize(sql, d);
        CAPTURE(sql);
        REQUIRE(other.text == first.text);
        REQUIRE(other.fingerprint == first.fingerprint);
      }
    }
  }
}

// Any bytes: the tokens, one after the other, are the text; statements lie in it, in order.

#include "scalekit/slow/statements.hpp"
#include "slow_input.hpp"

using namespace scalekit::slow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [dialect, sql] = split_input(data, size);

  lexer tokens(sql, dialect);
  const char* at = sql.data();
  for (auto t = tokens.next(); t.kind != token_kind::end; t = tokens.next()) {
    must(t.text.data() == at, "a token begins where the one before ended");
    must(!t.text.empty(), "a token has text");
    at += t.text.size();
    must(t.terminated || at == sql.data() + sql.size(), "what is unclosed reaches the end");
  }
  must(at == sql.data() + sql.size(), "the tokens cover the text");

  statement_reader statements(sql, dialect);
  const char* last = sql.data();
  while (auto s = statements.next()) {
    must(!s->text.empty(), "a statement has text");
    must(s->text.data() >= last, "statements come in order");
    last = s->text.data() + s->text.size();
    must(last <= sql.data() + sql.size(), "a statement lies in the script");
    must(s->text.starts_with(s->keyword), "a statement begins with its keyword");
  }
  return 0;
}

// Any bytes: the normalised text is printable, holds no literal, number or comment, and
// normalising it again changes nothing.

#include "scalekit/slow/fingerprint.hpp"
#include "slow_input.hpp"

using namespace scalekit::slow;

namespace {

void must_hold_no_value(const normalized_statement& done, dialect d) {
  lexer tokens(done.text, d);
  for (auto t = tokens.next(); t.kind != token_kind::end; t = tokens.next()) {
    must(t.kind != token_kind::string, "no literal");
    must(t.kind != token_kind::number, "no number");
    must(t.kind != token_kind::comment, "no comment");
    must(t.kind != token_kind::other, "no junk");
    must(t.kind != token_kind::parameter || t.text == "?", "no name of a parameter");
    must(t.terminated, "nothing unclosed");
  }
  for (char c : done.text) must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "printable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [dialect, sql] = split_input(data, size);

  const auto once = normalize(sql, dialect, {.max_text_bytes = std::size_t{1} << 20});
  must(once.fingerprint != 0, "a fingerprint is never 0");
  must(!once.truncated, "nothing is cut below the limit");
  must_hold_no_value(once, dialect);

  const auto twice = normalize(once.text, dialect, {.max_text_bytes = std::size_t{1} << 20});
  must(twice.text == once.text, "the text is stable");
  must(twice.fingerprint == once.fingerprint, "the fingerprint is stable");

  const auto cut = normalize(sql, dialect, {.max_text_bytes = 40});
  must(cut.text.size() <= 40, "a cut text fits");
  must(cut.fingerprint == once.fingerprint, "the fingerprint covers what is cut off");
  return 0;
}

#include "slow/sql_writer.hpp"

#include "slow/utf8.hpp"

namespace scalekit::slow {

void sql_writer::name(std::string_view text) {
  auto from = out_.size();
  put(text, written::name);
  // Names end up in logs: no control characters, no broken UTF-8.
  make_printable(out_, from);
}

void sql_writer::keyword(std::string_view lower, bool expression_follows) {
  put(lower, expression_follows ? written::opener : written::keyword);
}

void sql_writer::op(std::string_view text) {
  const bool tight = text == "." || text == "::";
  put(text, tight ? written::tight_op : written::op);
}

void sql_writer::semicolon() {
  put(";", written::nothing);
  depth_ = 0;
}

void sql_writer::open(std::string_view bracket, list_kind kind) {
  put(bracket, written::open);
  if (depth_ < max_tracked) lists_[depth_] = {.kind = kind, .begin = out_.size()};
  ++depth_;
}

void sql_writer::comma() {
  end_element();
  put(",", written::comma);
  if (auto* current = innermost()) current->begin = out_.size();
}

list_kind sql_writer::close(std::string_view bracket) {
  end_element();
  const auto* current = innermost();
  const auto kind = current != nullptr ? current->kind : list_kind::plain;
  if (depth_ > 0) --depth_;
  put(bracket, written::close);
  return kind;
}

void sql_writer::keep_list() noexcept {
  if (auto* current = innermost()) current->kind = list_kind::plain;
}

bool sql_writer::after_operand() const noexcept {
  return last_ == written::name || last_ == written::keyword || last_ == written::value ||
         last_ == written::close;
}

sql_writer::list* sql_writer::innermost() noexcept {
  return depth_ > 0 && depth_ <= max_tracked ? &lists_[depth_ - 1] : nullptr;
}

void sql_writer::end_element() {
  auto* current = innermost();
  if (current == nullptr || current->kind != list_kind::alike) return;
  auto text = std::string_view(out_).substr(current->begin);
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto previous = std::string_view(out_).substr(
      current->previous_begin, current->previous_end - current->previous_begin);
  if (current->has_previous && text == previous) {
    out_.resize(current->previous_end);
    return;
  }
  current->has_previous = true;
  current->previous_begin = out_.size() - text.size();
  current->previous_end = out_.size();
}

void sql_writer::put(std::string_view text, written as) {
  if (needs_space(text, as)) out_ += ' ';
  out_ += text;
  last_ = as;
}

bool sql_writer::needs_space(std::string_view text, written as) const noexcept {
  if (out_.empty() || last_ == written::open || last_ == written::tight_op) return false;
  if (as == written::close || as == written::comma || text == ";") return false;
  // Not behind an operator, where ":" and "::" would become "::" and ":".
  if (as == written::tight_op) return last_ == written::op;
  if (text == "[") return last_ == written::op;
  if (text == "(") return last_ != written::name;
  return true;
}

}  // namespace scalekit::slow

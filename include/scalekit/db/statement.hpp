#pragma once

#include "scalekit/core/codec.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/value_list.hpp"

#include <concepts>
#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::db {

/// The text of a statement: a string literal, which is checked when the program is compiled, so
/// that no user input can ever be spliced into it.
class sql_text {
 public:
  /// Does not compile for anything but a literal, nor for an empty text or one with a NUL in it.
  template <std::size_t N>
  consteval sql_text(const char (&literal)[N],  // NOLINT: implicit by intent
                     std::source_location site = std::source_location::current())
      : text_(literal, N - 1), site_(site) {
    if (N < 2 || literal[N - 1] != '\0') throw "the text of a statement is empty or not a literal";
    for (std::size_t i = 0; i + 1 < N; ++i) {
      if (literal[i] == '\0') throw "the text of a statement contains a NUL";
    }
  }

  constexpr std::string_view text() const noexcept { return text_; }
  constexpr const std::source_location& site() const noexcept { return site_; }

 private:
  std::string_view text_;
  std::source_location site_;
};

/// The text of a statement that was put together while the program runs. You answer for it:
/// never let user input into it, bind that.
class runtime_text {
 public:
  template <class Text>
    requires std::constructible_from<std::string, Text&&>
  runtime_text(Text&& text,  // NOLINT: implicit by intent
               std::source_location site = std::source_location::current())
      : text_(std::forward<Text>(text)), site_(site) {}

  std::string& text() noexcept { return text_; }
  const std::source_location& site() const noexcept { return site_; }

 private:
  std::string text_;
  std::source_location site_;
};

/// A statement with its parameters: text, bound values (copied; the statement owns them) and the
/// place in your source where it was written, which slow-query reports name.
///
/// Made by sql() or unsafe_sql(). One statement of SQL, without transaction control; parameters
/// are $1, $2, ... in any order, each bound to the argument of that number.
///
/// A value: may be kept, copied, and run any number of times from any thread.
class statement {
 public:
  explicit statement(sql_text text) noexcept : literal_(text.text()), site_(text.site()) {}
  explicit statement(runtime_text text) : owned_(std::move(text.text())), site_(text.site()) {}

  std::string_view text() const noexcept {
    return literal_.data() != nullptr ? literal_ : std::string_view(owned_);
  }
  const value_list& parameters() const noexcept { return parameters_; }
  const std::source_location& site() const noexcept { return site_; }

  /// Binds one more parameter, for statements whose number of parameters is known only at run
  /// time. Errors: value_out_of_range for an unsigned integer above 2^63 - 1.
  template <class T>
  statement& bind(const T& value) {
    scalekit::detail::encode(parameters_, value);
    return *this;
  }

 private:
  std::string_view literal_;
  std::string owned_;
  std::source_location site_;
  value_list parameters_;
};

/// `sql("select name from product where id = $1", id)`. The types that can be bound are listed in
/// core/codec.hpp, with std::nullopt for null. Errors: as statement::bind.
template <class... Args>
statement sql(sql_text text, const Args&... args) {
  statement s{text};
  (s.bind(args), ...);
  return s;
}

/// As sql(), for a text that is not a literal.
template <class... Args>
statement unsafe_sql(runtime_text text, const Args&... args) {
  statement s{std::move(text)};
  (s.bind(args), ...);
  return s;
}

}  // namespace scalekit::db

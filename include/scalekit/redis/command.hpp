#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/redis/detail/request.hpp"

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace scalekit::redis {
namespace detail {

template <class T>
concept text_argument = std::convertible_to<const T&, std::string_view>;

template <class T>
concept byte_argument =
    !text_argument<T> && std::convertible_to<const T&, std::span<const std::byte>>;

template <class T>
concept number_argument =
    (std::integral<T> || std::floating_point<T>)&&!std::same_as<T, bool> &&
    !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
    !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
concept single_argument = text_argument<T> || byte_argument<T> || number_argument<T>;

template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> =
    single_argument<std::remove_cv_t<A>> && single_argument<std::remove_cv_t<B>>;

template <class T>
concept argument_range = !single_argument<T> && std::ranges::input_range<const T> &&
                         (single_argument<std::ranges::range_value_t<const T>> ||
                          is_pair<std::ranges::range_value_t<const T>>);

}  // namespace detail

/// What a command takes: text and bytes of any kind, numbers (a double in the shortest form that
/// reads back as the same), and ranges of those or of pairs of those, which become as many
/// arguments.
template <class T>
concept command_argument = detail::single_argument<T> || detail::argument_range<T>;

/// One command with its arguments, in the form in which it is sent. Any bytes are legal in
/// arguments: nothing is parsed, quoted or cut.
///
///     command("SET", key, value, "EX", 30)
///     command("MGET", keys)                       // a vector of strings: an argument each
///
/// Exception safety: strong, but for add() of a range, which may leave a part of it behind.
/// Thread safety: one thread at a time.
class SCALEKIT_EXPORT command {
 public:
  /// `name` is one word ("CLIENT", whose "LIST" is an argument), in upper or lower case. Throws
  /// errc::invalid_argument for a name that is empty, longer than 64 bytes, or has a blank or
  /// control character in it.
  template <command_argument... Args>
  explicit command(std::string_view name, const Args&... args)
      : command(name, (std::size_t{0} + ... + room_for(args)), begin{}) {
    (add(args), ...);
  }

  template <command_argument Arg>
  command& add(const Arg& arg) {
    if constexpr (detail::text_argument<Arg>) {
      append(std::string_view(arg));
    } else if constexpr (detail::byte_argument<Arg>) {
      const std::span<const std::byte> bytes(arg);
      append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    } else if constexpr (std::floating_point<Arg>) {
      append(static_cast<double>(arg));
    } else if constexpr (std::signed_integral<Arg>) {
      append(static_cast<long long>(arg));
    } else if constexpr (std::unsigned_integral<Arg>) {
      append(static_cast<unsigned long long>(arg));
    } else {
      for (const auto& each : arg) add_element(each);
    }
    return *this;
  }

  const std::string& name() const noexcept { return name_; }

  /// Name and arguments.
  std::size_t size() const noexcept { return count_; }

  /// What goes over the wire, but for a few bytes.
  std::size_t bytes() const noexcept { return wire_.size(); }

 private:
  friend detail::request detail::to_request(command&& c);
  struct begin {};

  command(std::string_view name, std::size_t room, begin);

  template <class Element>
  void add_element(const Element& each) {
    if constexpr (detail::single_argument<Element>) {
      add(each);
    } else {
      add(each.first);
      add(each.second);
    }
  }

  /// An estimate, so that most commands are allocated once.
  template <class Arg>
  static std::size_t room_for(const Arg& arg) noexcept {
    constexpr std::size_t frame = 12;
    if constexpr (detail::text_argument<Arg>) {
      return std::string_view(arg).size() + frame;
    } else {
      return 24 + frame;
    }
  }

  void append(std::string_view bytes);
  void append(double number);
  void append(long long number);
  void append(unsigned long long number);
  /// Writes how many arguments there are before them. What is sent begins at the position that it
  /// returns.
  std::size_t finish();

  std::string name_;
  /// The arguments, behind room for their number.
  std::string wire_;
  std::size_t count_ = 0;
};

}  // namespace scalekit::redis

#pragma once

#include "scalekit/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

namespace scalekit {

/// The elements of an array, seen in place: values of one kind, or null, in their order.
///
/// Packed by detail::array_packer: the kind of the elements (a byte) and their number (8 bytes),
/// then each element: its kind (a byte), and for integer and real 8 bytes, for text and blob 8
/// bytes of size and the content. Numbers are the machine's own, and nothing is aligned.
class array_view {
 public:
  /// Goes over the elements once from the front, as std::input_iterator does.
  class iterator {
   public:
    using value_type = value_view;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;

    value_view operator*() const noexcept {
      switch (kind()) {
        case value_kind::integer:
          return value_view(load<std::int64_t>(at_ + 1));
        case value_kind::real:
          return value_view(load<double>(at_ + 1));
        case value_kind::text:
          return value_view(std::string_view(at_ + 9, content_size()));
        case value_kind::blob:
          return value_view(std::span(reinterpret_cast<const std::byte*>(at_) + 9, content_size()));
        case value_kind::null:
        case value_kind::array:
          break;
      }
      return {};
    }
    iterator& operator++() noexcept {
      const bool has_content = kind() == value_kind::text || kind() == value_kind::blob;
      at_ += kind() == value_kind::null ? 1 : has_content ? 9 + content_size() : 9;
      return *this;
    }
    iterator operator++(int) noexcept {
      auto before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(iterator, iterator) noexcept = default;

   private:
    friend array_view;
    explicit iterator(const char* at) noexcept : at_(at) {}

    value_kind kind() const noexcept { return static_cast<value_kind>(*at_); }
    std::size_t content_size() const noexcept {
      return static_cast<std::size_t>(load<std::uint64_t>(at_ + 1));
    }

    const char* at_ = nullptr;
  };

  static constexpr std::size_t header_size = 9;

  /// No elements.
  array_view() noexcept = default;

  /// Precondition: `packed` is empty or was written by detail::array_packer.
  explicit array_view(std::string_view packed) noexcept : packed_(packed) {}

  /// Null where no element tells: in an empty array, or one of nulls.
  value_kind element_kind() const noexcept {
    return packed_.empty() ? value_kind::null : static_cast<value_kind>(packed_[0]);
  }
  std::size_t size() const noexcept {
    return packed_.empty() ? 0 : static_cast<std::size_t>(load<std::uint64_t>(packed_.data() + 1));
  }
  bool empty() const noexcept { return size() == 0; }

  iterator begin() const noexcept {
    return iterator(packed_.empty() ? nullptr : packed_.data() + header_size);
  }
  iterator end() const noexcept {
    return iterator(packed_.empty() ? nullptr : packed_.data() + packed_.size());
  }

  std::string_view packed() const noexcept { return packed_; }

 private:
  template <class T>
  static T load(const char* from) noexcept {
    T v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }

  std::string_view packed_;
};

inline value_view::value_view(array_view v) noexcept
    : data_(v.packed().data()), size_(v.packed().size()), kind_(value_kind::array) {}

inline array_view value_view::array() const noexcept {
  return array_view(std::string_view(data_, size_));
}

}  // namespace scalekit

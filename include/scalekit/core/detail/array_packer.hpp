#pragma once

#include "scalekit/core/array_view.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace scalekit::detail {

/// Appends an array, element by element, to a std::string or a container of char.
///
/// Precondition of every add(): what is not null is of the kind of what came before.
template <class Buffer>
class array_packer {
 public:
  explicit array_packer(Buffer& to) : to_(&to), begin_(to.size()) {
    put(&kind_, 1);
    put(&count_, sizeof count_);
  }

  void add_null() { add_head(value_kind::null); }
  void add(std::int64_t v) { add_number(&v, value_kind::integer); }
  void add(double v) { add_number(&v, value_kind::real); }
  void add(std::string_view v) { add_content(v.data(), v.size(), value_kind::text); }
  void add(std::span<const std::byte> v) { add_content(v.data(), v.size(), value_kind::blob); }
  void add(const value_view& v) {
    switch (v.kind()) {
      case value_kind::integer:
        return add(v.integer());
      case value_kind::real:
        return add(v.real());
      case value_kind::text:
        return add(v.text());
      case value_kind::blob:
        return add(v.blob());
      case value_kind::null:
      case value_kind::array:
        return add_null();
    }
  }

  /// The last call: how many bytes the array takes.
  std::size_t finish() noexcept {
    std::memcpy(to_->data() + begin_, &kind_, 1);
    std::memcpy(to_->data() + begin_ + 1, &count_, sizeof count_);
    return to_->size() - begin_;
  }

 private:
  void put(const void* from, std::size_t size) {
    const std::size_t at = to_->size();
    to_->resize(at + size);
    if (size > 0) std::memcpy(to_->data() + at, from, size);
  }
  void add_head(value_kind kind) {
    put(&kind, 1);
    if (kind != value_kind::null) kind_ = kind;
    ++count_;
  }
  void add_number(const void* number, value_kind kind) {
    add_head(kind);
    put(number, 8);
  }
  void add_content(const void* content, std::uint64_t size, value_kind kind) {
    add_head(kind);
    put(&size, sizeof size);
    put(content, static_cast<std::size_t>(size));
  }

  Buffer* to_;
  std::size_t begin_;
  std::uint64_t count_ = 0;
  value_kind kind_ = value_kind::null;
};

}  // namespace scalekit::detail

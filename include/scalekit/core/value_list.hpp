#pragma once

#include "scalekit/core/array_view.hpp"
#include "scalekit/core/detail/array_packer.hpp"
#include "scalekit/core/value.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace scalekit {

/// Values that belong together and are owned: the bound parameters of a statement.
///
/// Up to 6 values with up to 64 bytes of text and blobs among them need no heap.
class value_list {
 public:
  void add_null() { slots_.push_back({}); }
  void add(std::int64_t v) {
    slot s;
    s.integer = v;
    s.kind = value_kind::integer;
    slots_.push_back(s);
  }
  void add(double v) {
    slot s;
    s.real = v;
    s.kind = value_kind::real;
    slots_.push_back(s);
  }
  void add(std::string_view v) { add_data(v.data(), v.size(), value_kind::text); }
  void add(std::span<const std::byte> v) {
    add_data(reinterpret_cast<const char*>(v.data()), v.size(), value_kind::blob);
  }

  void add(const value_view& v) {
    switch (v.kind()) {
      case value_kind::null:
        return add_null();
      case value_kind::integer:
        return add(v.integer());
      case value_kind::real:
        return add(v.real());
      case value_kind::text:
        return add(v.text());
      case value_kind::blob:
        return add(v.blob());
      case value_kind::array: {
        const auto packed = v.array().packed();
        return add_data(packed.data(), packed.size(), value_kind::array);
      }
    }
  }

  /// `fill` is called once with what takes the elements: add_null() and add(...) as here, all that
  /// are not null of one kind. Nothing is added when it throws.
  template <class Fill>
  void add_array(Fill&& fill) {
    slot s;
    s.offset = data_.size();
    s.kind = value_kind::array;
    detail::array_packer packer(data_);
    fill(packer);
    s.size = packer.finish();
    slots_.push_back(s);
  }

  std::size_t size() const noexcept { return slots_.size(); }

  /// Removes all; what they were kept in is used again.
  void clear() noexcept {
    slots_.clear();
    data_.clear();
  }

  /// Precondition: i < size(). Valid until the list changes, moves or dies.
  value_view operator[](std::size_t i) const noexcept {
    const slot& s = slots_[i];
    switch (s.kind) {
      case value_kind::null:
        break;
      case value_kind::integer:
        return value_view(s.integer);
      case value_kind::real:
        return value_view(s.real);
      case value_kind::text:
        return value_view(std::string_view(data_.data() + s.offset, s.size));
      case value_kind::blob:
        return value_view(std::span<const std::byte>(
            reinterpret_cast<const std::byte*>(data_.data() + s.offset), s.size));
      case value_kind::array:
        return value_view(array_view(std::string_view(data_.data() + s.offset, s.size)));
    }
    return {};
  }

 private:
  struct slot {
    union {
      std::int64_t integer = 0;
      double real;
      std::size_t offset;
    };
    std::size_t size = 0;
    value_kind kind = value_kind::null;
  };

  void add_data(const char* from, std::size_t size, value_kind kind) {
    slot s;
    s.offset = data_.size();
    s.size = size;
    s.kind = kind;
    // resize and copy, where insert would do: gcc 12 warns of the latter at -O3.
    data_.resize(data_.size() + size, boost::container::default_init);
    if (size > 0) std::memcpy(data_.data() + s.offset, from, size);
    slots_.push_back(s);
  }

  boost::container::small_vector<slot, 6> slots_;
  boost::container::small_vector<char, 64> data_;
};

}  // namespace scalekit

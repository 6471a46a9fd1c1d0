#pragma once

#include <cstddef>

namespace scalekit::db::detail {

template <class T>
class fifo;

/// What an element of a fifo<T> derives from: T : fifo_link<T>.
template <class T>
class fifo_link {
 private:
  friend class fifo<T>;
  T* before_ = nullptr;
  T* after_ = nullptr;
};

/// A queue of objects that belong to others: entering and leaving, also from the middle, costs a
/// few pointers and no memory. An element is in one queue at most, and outlives its stay.
template <class T>
class fifo {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  /// The first come; null when empty.
  T* front() const noexcept { return first_; }
  /// The last come; null when empty.
  T* back() const noexcept { return last_; }
  /// The one that came after `element`; null for the last.
  T* after(const T& element) const noexcept { return link(element).after_; }

  void push_back(T& element) noexcept {
    link(element).before_ = last_;
    link(element).after_ = nullptr;
    (last_ == nullptr ? first_ : link(*last_).after_) = &element;
    last_ = &element;
    ++size_;
  }

  void push_front(T& element) noexcept {
    link(element).before_ = nullptr;
    link(element).after_ = first_;
    (first_ == nullptr ? last_ : link(*first_).before_) = &element;
    first_ = &element;
    ++size_;
  }

  void erase(T& element) noexcept {
    auto& l = link(element);
    (l.before_ == nullptr ? first_ : link(*l.before_).after_) = l.after_;
    (l.after_ == nullptr ? last_ : link(*l.after_).before_) = l.before_;
    l.before_ = l.after_ = nullptr;
    --size_;
  }

 private:
  static fifo_link<T>& link(T& element) noexcept { return element; }
  static const fifo_link<T>& link(const T& element) noexcept { return element; }

  T* first_ = nullptr;
  T* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace scalekit::db::detail

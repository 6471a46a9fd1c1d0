#pragma once

#include "scalekit/cache/detail/typed_call.hpp"

#include <memory>
#include <string>
#include <utility>

namespace scalekit::cache::detail {

/// Takes whatever it is given.
class copying_port final : public value_port {
 public:
  std::string* buffer() noexcept override { return &bytes; }
  bool accept(std::string&& given) noexcept override {
    bytes = std::move(given);
    return true;
  }
  bool accept(pinned_bytes&& given) noexcept override {
    bytes = given.view();
    return true;
  }
  std::unique_ptr<value_port> another() const override { return std::make_unique<copying_port>(); }
  void adopt(value_port& made_by_another) noexcept override {
    bytes = std::move(static_cast<copying_port&>(made_by_another).bytes);
    error = std::move(made_by_another.error);
  }

  std::string bytes;
};

}  // namespace scalekit::cache::detail

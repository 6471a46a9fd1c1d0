#include "scalekit/redis/script.hpp"

#include "redis/as_eval.hpp"
#include "redis/sha1.hpp"
#include "redis/wire_arguments.hpp"

#include <cstddef>

namespace scalekit::redis {

script::script(std::string text)
    : text_(std::make_shared<const std::string>(std::move(text))),
      hash_(detail::sha1_hex(*text_)) {}

namespace detail {

request to_request(script_call&& c) {
  auto r = to_request(std::move(c.command_));
  r.script = std::move(c.text_);
  return r;
}

void make_eval(request& r) {
  const auto wire = r.wire();
  wire_arguments arguments(wire);
  arguments.next();
  arguments.next();
  std::string eval(wire.substr(0, wire.find('\n') + 1));
  eval += "$4\r\nEVAL\r\n$" + std::to_string(r.script->size()) + "\r\n";
  eval.reserve(eval.size() + r.script->size() + 2 + arguments.rest().size());
  eval.append(*r.script).append("\r\n").append(arguments.rest());
  r.bytes = std::move(eval);
  r.start = 0;
  r.script.reset();
}

}  // namespace detail
}  // namespace scalekit::redis

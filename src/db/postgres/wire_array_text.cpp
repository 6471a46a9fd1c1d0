#include "db/postgres/wire_values.hpp"
#include "scalekit/core/array_view.hpp"
#include "scalekit/core/detail/array_packer.hpp"

// An array in text format: {1,NULL,3}, {"a b","say \"hi\""}, and where the lower bound is not 1,
// [0:2]={1,2,3}.

namespace scalekit::db::postgres {
namespace {

struct element {
  std::string_view text;
  bool is_null = false;
};

/// Walks over the elements; `text` is what stands between the braces.
class element_reader {
 public:
  explicit element_reader(std::string_view text) noexcept : rest_(text) {}

  bool is_done() const noexcept { return rest_.empty(); }

  wire_status next(element& out) {
    if (rest_[0] == '{') return wire_status::out_of_range;
    const auto status = rest_[0] == '"' ? quoted(out) : plain(out);
    if (status != wire_status::ok || rest_.empty()) return status;
    // A comma, and behind it one more element.
    if (rest_[0] != ',' || rest_.size() == 1) return wire_status::malformed;
    rest_.remove_prefix(1);
    return wire_status::ok;
  }

 private:
  wire_status quoted(element& out) {
    unescaped_.clear();
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        out = {unescaped_, false};
        return wire_status::ok;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      unescaped_ += rest_[i];
    }
    return wire_status::malformed;
  }

  wire_status plain(element& out) {
    out.text = rest_.substr(0, rest_.find(','));
    out.is_null = out.text == "NULL";
    if (out.text.empty() || out.text.find_first_of("{}\"\\") != std::string_view::npos) {
      return wire_status::malformed;
    }
    rest_.remove_prefix(out.text.size());
    return wire_status::ok;
  }

  std::string_view rest_;
  std::string unescaped_;
};

}  // namespace

wire_status decode_array_text(std::string_view wire, decode_function decode, value_view& out,
                              std::string& scratch) {
  if (wire.starts_with('[')) {
    // Of several dimensions the braces behind will tell.
    const auto end = wire.find("]=");
    if (end == std::string_view::npos) return wire_status::malformed;
    wire.remove_prefix(end + 2);
  }
  if (wire.size() < 2 || wire.front() != '{' || wire.back() != '}') return wire_status::malformed;
  scratch.clear();
  scalekit::detail::array_packer packer(scratch);
  element_reader elements(wire.substr(1, wire.size() - 2));
  std::string element_scratch;
  while (!elements.is_done()) {
    element next;
    auto status = elements.next(next);
    if (status != wire_status::ok) return status;
    if (next.is_null) {
      packer.add_null();
      continue;
    }
    value_view value;
    status = decode(next.text, value, element_scratch);
    if (status != wire_status::ok) return status;
    packer.add(value);
  }
  packer.finish();
  out = value_view(array_view(scratch));
  return wire_status::ok;
}

}  // namespace scalekit::db::postgres

#include "db/postgres/wire_parameters.hpp"

#include "db/postgres/wire_encode.hpp"
#include "db/postgres/wire_types.hpp"
#include "scalekit/core/error.hpp"

namespace scalekit::db::postgres {
namespace {

constexpr std::size_t in_place = static_cast<std::size_t>(-1);
/// The server takes messages up to 1 GiB - 1 and hangs up on larger ones; the rest of the message
/// has room in the last MiB.
constexpr std::size_t most_bytes = (std::size_t{1} << 30) - (std::size_t{1} << 20);
/// A buffer beyond this is given back before the next use.
constexpr std::size_t most_kept = std::size_t{1} << 20;

}  // namespace

void encoded_parameters::clear() noexcept {
  pointers_.clear();
  lengths_.clear();
  formats_.clear();
  offsets_.clear();
  buffer_.clear();
  bytes_in_place_ = 0;
}

void encoded_parameters::encode(const value_list& values, std::span<const std::uint32_t> types) {
  clear();
  if (buffer_.capacity() > most_kept) std::string().swap(buffer_);
  if (values.size() != types.size()) {
    throw error(errc::parameter_mismatch, "the statement has " + std::to_string(types.size()) +
                                              " parameters, " + std::to_string(values.size()) +
                                              " values were bound");
  }
  try {
    for (std::size_t i = 0; i < types.size(); ++i) add(values[i], types[i], {i + 1, 0});
  } catch (...) {
    clear();
    throw;
  }
  // Only now does the buffer stay where it is.
  for (std::size_t i = 0; i < offsets_.size(); ++i) {
    if (offsets_[i] != in_place) pointers_[i] = buffer_.data() + offsets_[i];
  }
}

void encoded_parameters::add(const value_view& value, std::uint32_t type, parameter_place place) {
  const std::size_t offset = buffer_.size();
  const wire_form form = form_for(value, type, place);
  std::string_view content;
  bool is_in_place = true;
  if (value.is_null()) {
    content = {};
  } else if (form == wire_form::binary && value.kind() == value_kind::text) {
    content = checked_text(value.text(), place);
  } else if (form == wire_form::binary && value.kind() == value_kind::blob) {
    content = {reinterpret_cast<const char*>(value.blob().data()), value.blob().size()};
  } else {
    is_in_place = false;
    form == wire_form::binary ? append_binary(buffer_, value, type, place)
                              : append_text(buffer_, value, type, place);
  }
  const std::size_t size = is_in_place ? content.size() : buffer_.size() - offset;
  if (is_in_place) bytes_in_place_ += size;
  if (size > most_bytes || bytes_in_place_ + buffer_.size() > most_bytes) {
    throw error(errc::too_large, to_string(place) + ": the parameters are larger than " +
                                     std::to_string(most_bytes) +
                                     " bytes in all, which the server would refuse");
  }
  // libpq finds the end of a parameter in text format by its NUL.
  if (form == wire_form::text) buffer_ += '\0';
  // An empty view may have no address, and a null address would be a null.
  const char* address = content.data() == nullptr ? "" : content.data();
  pointers_.push_back(value.is_null() ? nullptr : address);
  lengths_.push_back(static_cast<int>(size));
  formats_.push_back(form == wire_form::binary ? 1 : 0);
  offsets_.push_back(is_in_place ? in_place : offset);
}

}  // namespace scalekit::db::postgres

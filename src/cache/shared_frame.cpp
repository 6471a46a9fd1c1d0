#include "cache/shared_frame.hpp"

namespace scalekit::cache::detail {
namespace {

std::string framed(char letter, std::string_view epoch, std::string_view rest) {
  std::string bytes;
  bytes.reserve(frame_bytes + rest.size());
  bytes.push_back(letter);
  return bytes.append(epoch).append(rest);
}

}  // namespace

shared_frame parse_frame(std::string_view bytes) noexcept {
  if (bytes.size() < frame_bytes) return {};
  const auto epoch = bytes.substr(1, epoch_bytes);
  const auto rest = bytes.substr(frame_bytes);
  if (bytes[0] == value_letter) return {frame_kind::value, epoch, rest};
  if (bytes[0] == placeholder_letter && rest.size() == token_bytes) {
    return {frame_kind::placeholder, epoch, {}};
  }
  return {};
}

bool is_alive(std::string_view bytes, std::string_view epoch) noexcept {
  const auto frame = parse_frame(bytes);
  return frame.kind == frame_kind::foreign || frame.epoch == epoch;
}

bool is_epoch(std::string_view bytes) noexcept {
  return bytes.size() == epoch_bytes;
}

std::string random_bytes(random_generator& from, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const auto number = from();
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  bytes.resize(size);
  return bytes;
}

std::string make_value(std::string_view epoch, std::string_view entry) {
  return framed(value_letter, epoch, entry);
}

std::string make_placeholder(std::string_view epoch, std::string_view token) {
  return framed(placeholder_letter, epoch, token);
}

std::string_view identity_of(std::string_view bytes) noexcept {
  if (parse_frame(bytes).kind == frame_kind::placeholder) return bytes;
  return bytes.size() < identity_bytes ? std::string_view() : bytes.substr(0, identity_bytes);
}

bool is_same(std::string_view bytes, std::string_view identity) noexcept {
  return !identity.empty() && identity_of(bytes) == identity;
}

}  // namespace scalekit::cache::detail

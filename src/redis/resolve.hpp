#pragma once

#include "redis/place.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

#include <optional>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

using endpoint = boost::asio::generic::stream_protocol::endpoint;

/// Where to connect to; where there is nothing, why.
struct resolved {
  std::vector<endpoint> endpoints = {};
  std::string failure = {};
};

/// Of a unix socket or a numeric address; nothing for a name.
std::optional<resolved> resolve_at_once(const place& where);

/// Of a name. Blocks, for as long as the system's resolver pleases.
resolved resolve_name(const place& where);

}  // namespace scalekit::redis::detail

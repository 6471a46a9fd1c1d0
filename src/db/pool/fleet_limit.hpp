#pragma once

#include <cstddef>
#include <string>

namespace scalekit::db::detail {

/// What a server gives out, and among how many clients. Each count includes this client.
struct fleet_facts {
  /// The server's max_connections.
  std::size_t max_connections = 0;
  /// Kept for superusers and other roles: superuser_reserved_connections and reserved_connections.
  std::size_t reserved = 0;
  /// Clients that share the server.
  std::size_t clients = 1;

  /// A connection limit of its own, and who shares it.
  struct own_limit {
    /// Negative: none.
    long connections = -1;
    std::size_t clients = 1;
  };
  own_limit role = {};
  own_limit database = {};
};

/// The limits of one client's pool.
struct fleet_limit {
  std::size_t min = 0;
  std::size_t max = 0;
  /// "fleet: 92 connections among 4 clients". Empty when the own limits fit.
  std::string why;

  bool operator==(const fleet_limit&) const = default;
};

/// An equal share of what the server gives out, at most the own max and at least 1: a client that
/// may not have a single connection could do nothing at all. One in twenty stays free, and two at
/// least, so that a client that starts finds the connections to join with before the others have
/// noticed it. `beside`: connections that each client has outside its pool.
fleet_limit share_of_fleet(const fleet_facts& facts, std::size_t beside, std::size_t own_min,
                           std::size_t own_max);

}  // namespace scalekit::db::detail

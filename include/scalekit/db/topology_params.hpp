#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace scalekit::db {

/// How the PostgreSQL driver follows who is primary and how far replicas are behind. In a URL by
/// the field's own name: `postgresql://a,b,c/shop?max_replica_lag=2s&region=eu`. Drivers without
/// replicas ignore them.
struct topology_params {
  /// How often each host is asked for its role and position; five times as often while no primary
  /// is known. Default 1 s. Range 50 ms to 1 min.
  std::chrono::nanoseconds monitor_interval = std::chrono::seconds{1};

  /// How long an answer counts. After it a host that says nothing more takes neither writes nor
  /// reads. Default 3 s: two lost answers are survived. Range 100 ms to 10 min, and at least
  /// twice monitor_interval.
  std::chrono::nanoseconds evidence_lease = std::chrono::seconds{3};

  /// A replica further behind takes no reads but those with consistency::bounded. Default 500 ms.
  /// Range 1 ms to 24 h.
  std::chrono::nanoseconds max_replica_lag = std::chrono::milliseconds{500};

  /// How long a read that must see a write waits for a replica to have it before it uses the
  /// primary, which it then does at once. Without a primary it waits until its own deadline.
  /// Default 50 ms. 0: never wait. Range 0 to 1 min.
  std::chrono::nanoseconds catch_up_wait = std::chrono::milliseconds{50};

  /// A replica that comes back takes its full share of reads only after this, growing evenly: its
  /// caches are cold. Default 10 s. 0: at once. Range 0 to 1 h.
  std::chrono::nanoseconds slow_start = std::chrono::seconds{10};

  /// Where this process is: replicas with the label region=(this) are preferred to others. Default
  /// empty: no preference.
  std::string region = {};

  /// The hosts, in any order, where the URL names none: {"10.0.0.1", "[::1]:5433"}. Each may have
  /// labels, as in `replica_labels`: "10.0.0.2:5433:role=reports,region=eu". A host without a port
  /// has 5432. In a JSON file an array of such texts, in a URL they have ';' between. They go
  /// before those of a service file and the environment. Default empty: as the URL says. Range:
  /// each place once, ports 1 to 65535; none where the URL names a host or a port.
  std::vector<std::string> hosts = {};

  /// Labels of hosts, for call_options::labels and `region`, hosts separated by ';':
  /// "10.0.0.2:role=reports,region=eu;10.0.0.3:5433:region=us". A host without a port means every
  /// port of it. Default empty. Names and values as parse_labels() takes them.
  std::string replica_labels = {};
};

}  // namespace scalekit::db

#pragma once

#include "support/postgres/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace support::postgres {

enum class replication {
  asynchronous,
  on,           ///< a commit waits until replicas have its WAL on disk
  remote_apply  ///< ... and until their reads see it
};

struct cluster_params {
  int replicas = 2;
  server_params server{};
  replication mode = replication::asynchronous;
  /// How many replicas, whichever, a synchronous commit waits for. A promoted replica asks for as
  /// many: its commits wait until that many follow it.
  int must_confirm = 1;
};

/// A primary and its streaming replicas. Node 0 is the first primary. What fails throws
/// std::runtime_error; every wait ends within a minute.
class cluster {
 public:
  /// Returns once every replica streams.
  explicit cluster(cluster_params params = {});

  std::size_t size() const noexcept { return nodes_.size(); }
  server& node(std::size_t i) { return *nodes_.at(i); }
  server& primary() { return *nodes_[primary_]; }
  /// The last one that promote() named, or 0.
  std::size_t primary_index() const noexcept { return primary_; }
  /// With all nodes in it: postgresql://postgres@127.0.0.1:1,127.0.0.1:2/DATABASE
  std::string url(const std::string& database = "postgres") const;

  /// Until every running replica, or replica `i`, has replayed what is now written on the primary.
  void wait_until_caught_up();
  void wait_until_caught_up(std::size_t i);

  /// WAL still arrives, reads stay as they are.
  void pause_replay(std::size_t i);
  void resume_replay(std::size_t i);
  /// Commits appear on the replica this much after they happened; 0 ends it.
  void set_apply_delay(std::size_t i, std::chrono::milliseconds delay);

  /// Of replicas `a` and `b` the one that has received more of the log, which the other can follow.
  std::size_t furthest_of(std::size_t a, std::size_t b);
  /// Replica `i` becomes the primary. Nothing else changes: an old one that runs makes two, and the
  /// other replicas follow whom they followed.
  void promote(std::size_t i);
  /// Replica `i` streams from the present primary.
  void follow_primary(std::size_t i);
  /// Node `i`, whatever it was, becomes a new replica of the present primary.
  void rebuild(std::size_t i);

 private:
  void wait_for_replay(std::size_t i, const std::string& lsn);

  std::vector<std::unique_ptr<server>> nodes_;
  std::size_t primary_ = 0;
};

}  // namespace support::postgres

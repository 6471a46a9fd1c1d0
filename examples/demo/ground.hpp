#pragma once

#include "database.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace demo {

/// What the shops of a demo stand on.
class ground {
 public:
  virtual ~ground() = default;

  /// Where the shop with the imported catalogue is.
  virtual shop_location catalogue() = 0;
  /// A fresh shop with the imported catalogue and nothing sold. No shop runs on either.
  virtual shop_location copy_of_catalogue(const std::string& name) = 0;

  virtual bool has_replicas() const { return false; }
  /// One of them is killed, with all its processes. Precondition: there are some.
  virtual void lose_a_replica() {}
};

/// SQLite files below `dir`; a catalogue that was imported there before is used again.
std::unique_ptr<ground> make_sqlite_ground(const std::filesystem::path& dir);

/// A PostgreSQL primary and two streaming replicas, started for this and ended with it, also when
/// this process is killed. Files of the shops are below `dir`, those of the servers in directories
/// for temporary files: who runs them may not look into `dir`. Throws std::runtime_error, also
/// where the demo was built without PostgreSQL.
std::unique_ptr<ground> make_postgres_ground(const std::filesystem::path& dir);

}  // namespace demo

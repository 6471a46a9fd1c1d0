#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace scalekit::cache {

/// Settings of the memory tier.
struct memory_params {
  /// The most bytes it uses: keys, values, and everything the tier allocates to find them, to evict
  /// and to expire them, some 80 bytes an entry. Enforced by the writer, before it stores. What
  /// pinned_bytes hold after it was removed counts no more. Default 64 MiB. Range 64 KiB to 1 TiB;
  /// 0 turns the tier off.
  std::size_t max_bytes = std::size_t{64} << 20;

  /// Parts with an equal share of max_bytes each, in which writers take turns; lookups take no
  /// lock. What does not fit into half of a share is not kept in memory. Default 0: one for each 4
  /// MiB, at most 16. Range 0 to 256, a power of two.
  std::size_t shards = 0;
};

/// When a stored file has reached the disk.
enum class fsync_policy {
  /// When the system likes. A crash of the process loses nothing; one of the machine may lose
  /// entries, never their integrity, and may bring erased ones back until they expire.
  none,
  /// The file's data before its name appears: no empty or torn files after a crash of the machine.
  data,
};

/// Settings of the file tier.
struct file_params {
  /// Where the entries are. Made if absent, with mode 0700. Several processes may share one
  /// directory of a local file system; nothing else may be in it. Default empty: no file tier.
  std::string directory = {};

  /// The most bytes of entries, shared by all processes that use the directory. Writers make room
  /// before they store. Default 1 GiB. Range 64 KiB to 1 PiB.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;

  /// Default none: a cache can be filled again.
  fsync_policy fsync = fsync_policy::none;

  /// After this many failures of the directory in a row it is left alone for `pause`: lookups
  /// miss, values are kept in memory only. Default 3. Range 1 to 1000.
  std::uint32_t failures_to_pause = 3;

  /// Default 5 s, doubling up to 1 min while it goes on failing. Range 1 ms to 1 h.
  std::chrono::milliseconds pause = std::chrono::seconds(5);

  /// Damaged entries are moved aside into `quarantine/`, so that a person can look at them, up to
  /// this many; further ones are removed. Default 32. Range 0 to 10'000.
  std::uint32_t max_quarantined = 32;
};

/// How values are kept outside of the process, in files or on a shared server; in memory they stay
/// as they are. All processes that share them read what others wrote with other settings, but for
/// the secret.
struct entry_params {
  /// Values of at least so many bytes are compressed with zstd, where that saves an eighth of them.
  /// Worth it where the network or the server's memory is what is short: a lookup there takes some
  /// microsecond a KiB longer. Default 0: none. Range 64 bytes to 1 GiB; needs
  /// SCALEKIT_WITH_ZSTD, as does a reader of what was compressed.
  std::size_t compress_from = 0;

  /// Entries are sealed with it (HMAC-SHA-256), and those that are not are misses and count as
  /// damaged: who can write to the directory or the server, and does not know the secret, can make
  /// up no value, nor put one under another key, type or namespace. They can still read all, erase,
  /// and put back what stood under a key before, until that expires. Known to all processes that
  /// share the entries: 16 to 1024 bytes, random ones. Default empty: entries are not sealed.
  std::string secret = {};

  /// While the secret is changed: the one before, whose seals still count. Needs `secret`. Default
  /// empty: none.
  std::string previous_secret = {};
};

/// What keeps values while the shared server is away.
struct fallback_params {
  /// Files of this machine, in a directory of their own, which several processes may share. While
  /// the server keeps failing (store_params::shared), what is loaded and set is kept here, beyond
  /// what memory holds; what is erased is erased here, and on the server before it is read there
  /// again. Emptied by each process that finds the server away: nothing is seen that was changed
  /// before. What is left after an outage stays on the disk until it is in the way. Calls without a
  /// thread take one of the work executor while it is in use. Made if absent, with mode 0700.
  /// Default empty: none; memory alone keeps values meanwhile.
  std::string directory = {};

  /// As file_params::max_bytes; what is larger than all of it is not kept. Default 256 MiB.
  std::uint64_t max_bytes = std::uint64_t{256} << 20;

  /// Values live for so long there at most, and once more in the memory of who found them there:
  /// what other machines change during an outage is seen unchanged for no longer, and the time of a
  /// load. (What this process loads and sets itself its memory keeps for memory_ttl, as always.)
  /// Default 1 min. Range 1 ms to 24 h.
  std::chrono::milliseconds ttl = std::chrono::minutes(1);

  /// When the server is back it is asked for a tenth of the keys, and for more and more of them
  /// until, after this, it has all: it may be empty, and all loads at once might be too much for
  /// what they ask. Default 10 s. Range 0 (all at once) to 1 h.
  std::chrono::milliseconds return_over = std::chrono::seconds(10);
};

/// Settings of a store. At least one tier must be on.
struct store_params {
  memory_params memory = {};
  file_params file = {};

  /// The URL of a server whose entries several machines share, in place of files:
  /// - `redis://`, `rediss://`, `redis+unix://` and what else redis::client::open() takes, with its
  ///   settings in the query; needs SCALEKIT_WITH_REDIS;
  /// - `memcached://host[:port][,host[:port]...]`; needs SCALEKIT_WITH_MEMCACHED. All processes
  ///   must name the same hosts in the same form;
  /// - `file:///directory`: the same as file.directory;
  /// - `auto:` and several of these with blanks between them: open() asks each in turn, for
  ///   shared_timeout at most, takes the first that answers, and says which ("cache.auto.chosen").
  ///   A directory always does; where nothing does, memory is alone. Decided once: what is to take
  ///   the place of a server that fails later is a `fallback`. A server that was passed over hears
  ///   of no change that is made meanwhile. Not with a shared_journal.
  /// But for the last, nothing connects before the first call that needs it. Default empty: none.
  std::string shared = {};

  /// Before each key on the shared server: stores of different namespaces do not see each other,
  /// and clear() forgets one namespace. Default "scalekit". 1 to 64 letters, digits and _ - . { }.
  std::string shared_namespace = "scalekit";

  /// A file in which it is noted when the shared server could not be told of erasures, so that a
  /// restart of this process does not forget that: what was left is erased before it is read. After
  /// a crash everything in the namespace is. Made if absent, on a disk of this machine; each store
  /// needs one of its own. Written and synced when an outage begins, when it ends, and by close().
  /// Default empty: a restart forgets what is owed.
  std::string shared_journal = {};

  /// Memory hears at once what others change on the shared server, and forgets it. Of a Redis
  /// server from 6.0 on (also of sentinels; not of a cluster), by its client tracking, on a
  /// connection and a thread ("sk-redis-sub") of its own; an ACL user needs CLIENT, SUBSCRIBE, PING
  /// and the channel "__redis__:invalidate". The server sends the name of each key that changes to
  /// each store of the namespace, also to the one that has changed it, which therefore reads it
  /// once more from there. While the connection is lost policy::memory_ttl alone bounds how old
  /// memory may be, as it does without; once it is back memory is empty. Default true. Without a
  /// memory tier it is nothing.
  bool shared_coherence = true;

  /// The most that a call waits for the shared server, within its own timeout. A lookup that gets
  /// no answer by then is a miss. Default 250 ms. Range 1 ms to 1 min.
  std::chrono::milliseconds shared_timeout = std::chrono::milliseconds(250);

  /// In place of the shared server while that is away. Needs `shared`.
  fallback_params fallback = {};

  entry_params entries = {};

  /// Larger values are refused with errc::too_large. Default 8 MiB. Range 1 KiB to 1 GiB.
  std::size_t max_value_bytes = std::size_t{8} << 20;

  /// Where async_ calls complete, and where files and loaders are run for them.
  scalekit::execution execution = {};

  /// Decides what has expired. It must outlive the store and the loads that still run when the
  /// store's last handle goes. Deadlines of waiting calls follow the machine's clock.
  const scalekit::clock* clock = &scalekit::clock::system();

  /// Receives "cache.file.paused", "cache.file.resumed", "cache.file.damaged",
  /// "cache.shared.paused", "cache.shared.resumed", "cache.shared.damaged", "cache.fallback.begun",
  /// "cache.fallback.returning", "cache.journal.failed", "cache.auto.passed_over" (warnings),
  /// "cache.fallback.ended", "cache.auto.chosen" (info), and what redis::client_params::log and
  /// redis::subscriber_params::log do.
  log_sink log = {};

  /// Seed for jitter and eviction. Default 0: the system's entropy.
  std::uint64_t seed = 0;
};

}  // namespace scalekit::cache

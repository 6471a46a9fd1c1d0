#include "scalekit/cache/store_settings.hpp"

#include "core/byte_units.hpp"

#include <chrono>

namespace scalekit::cache {

using namespace std::chrono_literals;
using scalekit::detail::gib, scalekit::detail::kib, scalekit::detail::tib;

namespace {

const settings_schema<memory_params>& memory_settings() {
  using p = memory_params;
  static const auto schema =
      settings_schema<p>("memory_params")
          .bytes("max_bytes", &p::max_bytes, 64 * kib, tib, "The most it uses, keys included")
          .or_zero(&p::max_bytes, "no memory tier")
          .field("shards", &p::shards, 0, 256,
                 "Parts in which writers take turns, a power of two; 0: one for each 4 MiB, at "
                 "most 16");
  return schema;
}

const settings_schema<file_params>& file_settings() {
  using p = file_params;
  static const auto schema =
      settings_schema<p>("file_params")
          .field("directory", &p::directory, "Where the entries are; empty: no file tier")
          .bytes("max_bytes", &p::max_bytes, 64 * kib, kib * tib,
                 "The most all entries have, of all processes that share the directory")
          .choice("fsync", &p::fsync, {{"none", fsync_policy::none}, {"data", fsync_policy::data}},
                  "Whether an entry is on the disk before its name appears")
          .field("failures_to_pause", &p::failures_to_pause, 1, 1000,
                 "The directory is left alone after this many failures in a row")
          .field("pause", &p::pause, 1ms, 1h, "For so long; doubles up to 1 min")
          .field("max_quarantined", &p::max_quarantined, 0, 10'000,
                 "Damaged entries kept for a person to look at");
  return schema;
}

const settings_schema<entry_params>& entry_settings() {
  using p = entry_params;
  static const auto schema =
      settings_schema<p>("entry_params")
          .bytes("compress_from", &p::compress_from, 64, gib,
                 "Values of so many bytes are compressed outside of the process")
          .or_zero(&p::compress_from, "none")
          .secret("secret", &p::secret, "Entries outside of the process are sealed with it")
          .secret("previous_secret", &p::previous_secret, "The one before, whose seals count");
  return schema;
}

const settings_schema<fallback_params>& fallback_settings() {
  using p = fallback_params;
  static const auto schema =
      settings_schema<p>("fallback_params")
          .field("directory", &p::directory, "Files that stand in for the server; empty: none")
          .bytes("max_bytes", &p::max_bytes, 64 * kib, kib * tib, "The most that all of them have")
          .field("ttl", &p::ttl, 1ms, 24h, "Values live for so long there at most")
          .field("return_over", &p::return_over, 0ms, 1h,
                 "For so long keys return to a server that is back");
  return schema;
}

}  // namespace

const settings_schema<store_params>& store_settings() {
  using p = store_params;
  static const auto schema =
      settings_schema<p>("store_params")
          .nested("memory", &p::memory, memory_settings())
          .nested("file", &p::file, file_settings())
          .secret("shared", &p::shared,
                  "URL of a server that several machines share, in place of files")
          .field("shared_namespace", &p::shared_namespace, "Before each key there")
          .field("shared_journal", &p::shared_journal,
                 "File that remembers what the server could not be told, beyond a restart")
          .field("shared_coherence", &p::shared_coherence,
                 "Memory hears what others change on a Redis server, and forgets it")
          .field("shared_timeout", &p::shared_timeout, 1ms, 1min,
                 "The most that a call waits for the shared server")
          .nested("fallback", &p::fallback, fallback_settings())
          .nested("entries", &p::entries, entry_settings())
          .bytes("max_value_bytes", &p::max_value_bytes, kib, gib, "Larger values are refused");
  return schema;
}

}  // namespace scalekit::cache

#pragma once

namespace scalekit::cache {

/// What keeps the values of the shared tier; see store_params::fallback.
enum class shared_state {
  /// The server.
  healthy,
  /// The fallback, where there is one: the server is left alone, but for a probe now and then.
  degraded,
  /// Both: the server is back, and takes over key by key.
  recovering,
};

/// Who decides that.
enum class shared_mode {
  /// How calls to the server end.
  automatic,
  /// A person: the server at once, without the fallback. One that fails still gets its pauses.
  server,
  /// A person: the server is not asked, as while it is being replaced.
  fallback,
};

}  // namespace scalekit::cache

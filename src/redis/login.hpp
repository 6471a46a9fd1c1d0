#pragma once

#include "redis/place.hpp"
#include "scalekit/redis/client_params.hpp"
#include "scalekit/redis/reply.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

/// Why a server did not take us.
struct login_refusal {
  /// Without arguments.
  std::string text;
  /// Trying again will not help.
  bool is_hopeless = false;
};

/// What is said first on each connection, as one group: who we are, which database; and a PING,
/// whose answer shows that somebody is there who answers. Where it matters it says what it is.
class login {
 public:
  explicit login(const client_params& params, server_role wanted = server_role::any);

  /// At a sentinel, by what `params` say of those.
  static login at_sentinel(const client_params& params);

  /// What to send. Holds the password.
  const std::string& bytes() const noexcept { return bytes_; }

  /// Takes the next answer. True: it was the last.
  bool take(const reply& answer);

  /// Once all answers were taken; nothing: we are in.
  const std::optional<login_refusal>& refused() const noexcept { return refused_; }

 private:
  enum class step : std::uint8_t { auth, select, set_name, read_only, role, ping };

  void judge(step at, const reply& answer);
  void judge_role(const reply& answer);

  std::string bytes_;
  std::vector<step> steps_;
  std::size_t next_ = 0;
  std::optional<login_refusal> refused_;
};

}  // namespace scalekit::redis::detail

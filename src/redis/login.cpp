#include "redis/login.hpp"

#include "redis/server_error.hpp"
#include "redis/wire_text.hpp"

namespace scalekit::redis::detail {

login::login(const client_params& params, bool reads_replica) {
  if (!params.password.empty()) {
    if (params.username.empty()) {
      append_command(bytes_, {"AUTH", params.password});
    } else {
      append_command(bytes_, {"AUTH", params.username, params.password});
    }
    steps_.push_back(step::auth);
  }
  if (params.database != 0) {
    append_command(bytes_, {"SELECT", std::to_string(params.database)});
    steps_.push_back(step::select);
  }
  if (!params.client_name.empty()) {
    append_command(bytes_, {"CLIENT", "SETNAME", params.client_name});
    steps_.push_back(step::set_name);
  }
  if (reads_replica) {
    append_command(bytes_, {"READONLY"});
    steps_.push_back(step::read_only);
  }
  append_command(bytes_, {"PING"});
  steps_.push_back(step::ping);
}

bool login::take(const reply& answer) {
  const auto at = steps_[next_++];
  // Those that follow fail because of the first.
  if (answer.kind == reply_kind::error && !refused_) judge(at, answer);
  return next_ == steps_.size();
}

void login::judge(step at, const reply& answer) {
  const auto code = code_of(answer.text);
  const auto said = server_error(answer, {}, {}).diag().server_message;
  switch (at) {
    case step::auth:
      refused_ = {"the login was refused: " + said, code != "LOADING"};
      break;
    case step::select:
      refused_ = {"the database was refused: " + said, code != "LOADING"};
      break;
    case step::read_only:
      refused_ = {"READONLY was refused: " + said, code != "LOADING"};
      break;
    case step::set_name:
      // Only for people; who may not, or whose server does not know it, goes without.
      if (code == "NOAUTH") refused_ = {"it wants a login: " + said, true};
      break;
    case step::ping:
      if (code == "NOAUTH") {
        refused_ = {"it wants a login: " + said, true};
      } else if (code == "LOADING") {
        refused_ = {said, false};
      }
      break;
  }
}

}  // namespace scalekit::redis::detail

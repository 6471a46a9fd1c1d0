#include "redis/login.hpp"

#include "redis/server_error.hpp"
#include "redis/wire_text.hpp"

namespace scalekit::redis::detail {

login::login(const client_params& params, server_role wanted) {
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
  if (wanted == server_role::reading_replica) {
    append_command(bytes_, {"READONLY"});
    steps_.push_back(step::read_only);
  }
  if (wanted == server_role::master) {
    append_command(bytes_, {"ROLE"});
    steps_.push_back(step::role);
  }
  append_command(bytes_, {"PING"});
  steps_.push_back(step::ping);
}

login login::at_sentinel(const client_params& params) {
  return login({.username = params.sentinel_username,
                .password = params.sentinel_password,
                .client_name = params.client_name});
}

bool login::take(const reply& answer) {
  const auto at = steps_[next_++];
  // Those that follow fail because of the first.
  if (!refused_) {
    if (at == step::role) {
      judge_role(answer);
    } else if (answer.kind == reply_kind::error) {
      judge(at, answer);
    }
  }
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
    case step::role:
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

void login::judge_role(const reply& answer) {
  if (answer.kind == reply_kind::error) {
    const auto said = server_error(answer, {}, {}).diag().server_message;
    refused_ = {"it does not say whether it is a master (ROLE): " + said,
                code_of(answer.text) != "LOADING"};
    return;
  }
  const auto role = answer.elements.empty() ? std::string_view{} : answer.elements.front().text;
  if (role == "master") return;
  const bool is_known = role == "slave" || role == "sentinel";
  refused_ = {
      is_known ? std::string("it is no master but a ") + (role == "slave" ? "replica" : "sentinel")
               : std::string("it does not say that it is a master"),
      false};
}

}  // namespace scalekit::redis::detail

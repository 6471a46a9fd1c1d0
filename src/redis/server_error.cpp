#include "redis/server_error.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace scalekit::redis::detail {
namespace {

struct row {
  std::string_view code;
  errc means;
};

constexpr row rows[] = {
    {"READONLY", errc::read_only},
    {"MISCONF", errc::read_only},
    {"OOM", errc::disk_full},
    {"NOPERM", errc::not_allowed},
    {"NOAUTH", errc::not_allowed},
    {"WRONGPASS", errc::not_allowed},
    {"LOADING", errc::unavailable},
    {"BUSY", errc::unavailable},
    {"MASTERDOWN", errc::unavailable},
    {"CLUSTERDOWN", errc::unavailable},
    {"UNBLOCKED", errc::unavailable},
    {"NOREPLICAS", errc::unavailable},
    {"TRYAGAIN", errc::conflict},
    {"BUSYKEY", errc::constraint_violation},
    {"BUSYGROUP", errc::constraint_violation},
    {"MOVED", errc::not_supported},
    {"ASK", errc::not_supported},
    {"WRONGTYPE", errc::invalid_argument},
    {"CROSSSLOT", errc::invalid_argument},
};

errc meaning_of(std::string_view code) noexcept {
  for (const auto& each : rows) {
    if (each.code == code) return each.means;
  }
  return errc::invalid_statement;
}

/// Redis quotes arguments of what it does not understand, which may be a password.
std::string without_arguments(std::string_view said) {
  return std::string(said.substr(0, said.find_first_of("'`\"")));
}

}  // namespace

std::string_view code_of(std::string_view refusal) noexcept {
  const auto code = refusal.substr(0, refusal.find(' '));
  const bool is_code = !code.empty() && code.size() <= 32 && std::ranges::all_of(code, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_code ? code : std::string_view{};
}

error server_error(const reply& refused, const std::string& command, const std::string& origin) {
  const auto code = code_of(refused.text);
  const auto means = meaning_of(code);
  std::string text = command + " was refused";
  if (means == errc::not_supported) {
    text += ": the server is part of a cluster, and this client talks to single servers";
  }
  return {make_error_code(means),
          {std::move(text), without_arguments(refused.text), std::string(code), origin}};
}

std::optional<reply> take_answer(answers& to_come, const request& what, reply&& answer) {
  if (--to_come.awaited == 0) return std::move(answer);
  const std::uint32_t asking = what.asks ? 1 : 0;
  // What ASKING is answered nobody has to know: where it was refused the command is as well.
  const bool counts = to_come.awaited + asking < what.replies;
  if (counts && answer.kind == reply_kind::error && !to_come.refused) {
    to_come.is_untied = to_come.awaited + asking + 1 == what.replies;
    to_come.refused = std::make_unique<reply>(std::move(answer));
  }
  return std::nullopt;
}

error refusal_of(const answers& to_come, const request& what, const reply& answer,
                 const std::string& origin) {
  if (!to_come.refused) return server_error(answer, what.name, origin);
  auto e = server_error(*to_come.refused, what.name, origin);
  if (!to_come.is_untied || what.is_read) return e;
  auto diag = e.diag();
  diag.client_message += ", but not the commands in it, which may have run one by one";
  return {make_error_code(errc::commit_in_doubt), std::move(diag)};
}

bool is_demotion(const answers& to_come, const reply& answer) noexcept {
  // What a transaction without its beginning has done is not known.
  if (to_come.is_untied) return false;
  const auto& said = to_come.refused ? to_come.refused->text : answer.text;
  const auto code = code_of(said);
  // Who waits in a server that becomes a replica is sent away.
  return code == "READONLY" ||
         (code == "UNBLOCKED" && said.find("instance state changed") != said.npos);
}

bool is_unknown_script(const request& what, const reply& answer) noexcept {
  return what.script != nullptr && code_of(answer.text) == "NOSCRIPT";
}

}  // namespace scalekit::redis::detail

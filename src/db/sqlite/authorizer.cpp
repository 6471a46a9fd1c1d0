#include "db/sqlite/authorizer.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace scalekit::db::sqlite {
namespace {

// Pragmas that only look, whatever their argument, and the two numbers in the file's header that
// are the application's own. Any other could change how the connection behaves for its next user.
constexpr std::array<std::string_view, 20> harmless{
    "application_id",    "compile_options",  "data_version",    "database_list", "encoding",
    "foreign_key_check", "foreign_key_list", "freelist_count",  "function_list", "index_info",
    "index_list",        "index_xinfo",      "integrity_check", "page_count",    "page_size",
    "quick_check",       "table_info",       "table_list",      "table_xinfo",   "user_version"};

// These only look as long as they have no argument.
constexpr std::array<std::string_view, 8> harmless_without_argument{
    "cache_size", "foreign_keys", "journal_mode",   "max_page_count",
    "mmap_size",  "query_only",   "schema_version", "synchronous"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string lower(const char* text) {
  std::string copy = text == nullptr ? "" : text;
  for (char& c : copy) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return copy;
}

bool pragma_is_harmless(const std::string& name, bool has_argument) {
  return contains(harmless, name) || (!has_argument && contains(harmless_without_argument, name));
}

}  // namespace

std::optional<std::string> why_denied(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return "transaction control in a statement; use transaction() and its savepoint()";
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return "attach, detach and vacuum reach beyond this database; open it with a client of its "
             "own";
    case SQLITE_PRAGMA: {
      auto name = lower(first);
      if (pragma_is_harmless(name, second != nullptr)) return std::nullopt;
      return "pragma " + name + " changes the connection for its next user; see sqlite_params";
    }
    case SQLITE_FUNCTION:
      if (lower(second) == "load_extension") return "load_extension()";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace scalekit::db::sqlite

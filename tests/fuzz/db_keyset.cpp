// What comes back from a client as a cursor. Whatever the text: it is refused, for nobody knows the
// secret. A key that is made of it survives the way out and back, and no change is accepted.

#include "scalekit/core/error.hpp"
#include "scalekit/db/keyset.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace scalekit;

namespace {

const db::keyset listing({.secret = "0123456789abcdef",
                          .context = "fuzzed",
                          .columns = {"name", "id"}});

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_refused(const std::string& cursor) {
  try {
    listing.key_of(cursor);
    return false;
  } catch (const error& e) {
    require(e.code() == errc::invalid_argument);
    return true;
  }
}

void check_way_back(const std::string& name) {
  const auto id = static_cast<std::int64_t>(name.size());
  std::string cursor;
  try {
    cursor = listing.cursor(name, id);
  } catch (const error& e) {
    return require(e.code() == errc::too_large);
  }
  const auto key = listing.key_of(cursor);
  require(key.size() == 2 && key[0].text() == name && key[1].integer() == id);
  auto& changed = cursor[name.size() % cursor.size()];
  changed = changed == 'A' ? 'B' : 'A';
  require(is_refused(cursor));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string input(reinterpret_cast<const char*>(data), size);
  require(is_refused(input));
  check_way_back(input);
  return 0;
}

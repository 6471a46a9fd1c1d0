// What a node says of its cluster. Whatever it is: it is refused, or no slot is in two ranges, and
// every node has a host and a port.

#include "redis/key_slot.hpp"
#include "redis/reply_reader.hpp"
#include "redis/slot_map.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace scalekit::redis::detail;

namespace {

const place asked{.path = {}, .host = "10.0.0.1", .port = 7000};

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const place& p) {
  require(!p.host.empty() && p.port != 0 && p.path.empty());
  require(p.host.find('\0') == p.host.npos);
}

void check(const slot_map& map) {
  std::bitset<slot_count> taken;
  require(!map.ranges.empty());
  for (const auto& range : map.ranges) {
    require(range.first <= range.last && range.shard < map.shards.size());
    for (std::size_t slot = range.first; slot <= range.last; ++slot) {
      require(!taken.test(slot));
      taken.set(slot);
    }
  }
  for (const auto& shard : map.shards) {
    check(shard.master);
    for (const auto& replica : shard.replicas) check(replica);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wire(reinterpret_cast<const char*>(data), size);
  if (const auto to = redirect_from(wire, asked)) {
    require(to->slot < slot_count);
    check(to->to);
  }
  reply_reader reader(std::size_t{1} << 20);
  reader.give(wire);
  while (const auto answer = reader.next()) {
    if (const auto map = slot_map_from(*answer, asked)) check(*map);
  }
  return 0;
}

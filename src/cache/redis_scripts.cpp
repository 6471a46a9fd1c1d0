#include "cache/redis_scripts.hpp"

#include <string>

// Errors of a write are taken (pcall), so that a server which is full or read-only still serves
// what it has.

namespace scalekit::cache::detail {
namespace {

const char* const common = R"(
local function failed(result)
  return type(result) == 'table' and result.err ~= nil
end
local function current_epoch(key, fresh)
  local epoch = redis.pcall('GET', key)
  if type(epoch) == 'string' and #epoch == 8 then return epoch end
  if failed(redis.pcall('SET', key, fresh)) then return nil end
  return fresh
end
)";

const char* const claim_text = R"(
local epoch = current_epoch(KEYS[1], ARGV[1])
if not epoch then return {} end
local there = redis.pcall('GET', KEYS[2])
if type(there) == 'string' then
  local letter = string.sub(there, 1, 1)
  if (letter ~= 'V' and letter ~= 'P') or string.sub(there, 2, 9) == epoch then
    return {epoch, there}
  end
end
local placeholder = 'P' .. epoch .. ARGV[2]
if failed(redis.pcall('SET', KEYS[2], placeholder, 'PX', ARGV[3])) then return {epoch} end
return {epoch, placeholder}
)";

const char* const fill_text = R"(
local expected = ARGV[1]
local epoch = string.sub(expected, 2, 9)
if redis.pcall('GET', KEYS[1]) ~= epoch then return 0 end
local there = redis.pcall('GET', KEYS[2])
if type(there) ~= 'string' then return 0 end
if string.sub(expected, 1, 1) == 'V' then there = string.sub(there, 1, #expected) end
if there ~= expected then return 0 end
redis.call('SET', KEYS[2], 'V' .. epoch .. ARGV[2], 'PX', ARGV[3])
return 1
)";

const char* const put_text = R"(
local epoch = current_epoch(KEYS[1], ARGV[1])
local stored = {}
for i = 2, #KEYS do
  if epoch and not failed(redis.pcall('SET', KEYS[i], 'V' .. epoch .. ARGV[2 * i - 1],
                                      'PX', ARGV[2 * i - 2])) then
    stored[i - 1] = 1
  else
    redis.call('UNLINK', KEYS[i])
    stored[i - 1] = 0
  end
end
return stored
)";

}  // namespace

const redis::script& claim_script() {
  static const redis::script script(std::string(common) + claim_text);
  return script;
}

const redis::script& fill_script() {
  static const redis::script script(fill_text);
  return script;
}

const redis::script& put_script() {
  static const redis::script script(std::string(common) + put_text);
  return script;
}

}  // namespace scalekit::cache::detail

package cache

import "github.com/redis/go-redis/v9"

// claimScript leaves a claim where nothing is, or where what is there is of no use. It returns what is there afterwards.
//
//	KEYS[1]; ARGV: the prefix that is of no use ("": none), the claim, its lifetime in milliseconds
var claimScript = redis.NewScript(`
local is = redis.call('GETRANGE', KEYS[1], 0, 35)
if is == '' or is == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return ARGV[2]
end
return is
`)

// What storeScript did.
const (
	storeRefused = 0 // someone invalidated, or stored something newer, or the claim is gone
	storeDone    = 1
	storeNotNew  = 2 // another reader has stored the same version
)

// storeScript puts an entry in the place of the claim or marker under which it was loaded, and nowhere else.
//
//	KEYS[1]; ARGV: the claim or marker, the entry's version, the entry, its lifetime in milliseconds
var storeScript = redis.NewScript(`
local is = redis.call('GETRANGE', KEYS[1], 0, 35)
local version = string.sub(is, 2, 20)
if is == ARGV[1] and version <= ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
  return 1
end
if string.sub(is, 1, 1) == 'E' and version == ARGV[2] then
  return 2
end
return 0
`)

// invalidateScript leaves a marker, unless what is there is as new. Where Redis has no memory left for the marker, the key
// is removed, which only costs the next reader a claim.
//
//	KEYS[1]; ARGV: the version, the marker, its lifetime in milliseconds
var invalidateScript = redis.NewScript(`
local is = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if type(is) == 'string' then
  local kind = string.sub(is, 1, 1)
  if (kind == 'E' or kind == 'M') and string.sub(is, 2, 20) >= ARGV[1] then
    return 0
  end
end
local done = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if done.err then
  redis.call('DEL', KEYS[1])
end
return 1
`)

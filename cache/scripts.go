package cache

import "github.com/redis/go-redis/v9"

// fillTokenScript puts a fill token under a key that is missing or holds an unusable entry. It returns the head of the
// value that is under the key afterwards.
//
//	KEYS[1]; ARGV: the head of the unusable entry ("": none), the fill token, its lifetime in milliseconds
var fillTokenScript = redis.NewScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 35)
if head == '' or head == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return ARGV[2]
end
return head
`)

// Results of storeScript.
const (
	storeRefused = 0 // the key was invalidated, holds a newer entry, or lost its token
	storeDone    = 1
	storeNotNew  = 2 // another reader stored the same version
)

// storeScript replaces the fill token or tombstone that the reader saw before its load with an entry. It stores nothing
// if any other value is under the key.
//
//	KEYS[1]; ARGV: the fill token or tombstone, the entry's version, the entry, its lifetime in milliseconds
var storeScript = redis.NewScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 35)
local version = string.sub(head, 2, 20)
if head == ARGV[1] and version <= ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
  return 1
end
if string.sub(head, 1, 1) == 'E' and version == ARGV[2] then
  return 2
end
return 0
`)

// invalidateScript puts a tombstone under a key, unless the key holds an entry or tombstone of the same or a newer
// version. If Redis has no memory for the tombstone, the script deletes the key: the next reader needs a new fill
// token.
//
//	KEYS[1]; ARGV: the version, the tombstone, its lifetime in milliseconds
var invalidateScript = redis.NewScript(`
local head = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if type(head) == 'string' then
  local kind = string.sub(head, 1, 1)
  if (kind == 'E' or kind == 'T') and string.sub(head, 2, 20) >= ARGV[1] then
    return 0
  end
end
local done = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if done.err then
  redis.call('DEL', KEYS[1])
end
return 1
`)

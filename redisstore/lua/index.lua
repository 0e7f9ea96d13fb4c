#!lua flags=allow-oom
-- Adds an index entry: id, the time now, the time when the entry ends. The times
-- have 16 digits each. All scores are 0, so that the entries are in the order of
-- the ids.
-- KEYS: the index. ARGV: the id, how long the entry lasts.

local now = clock()
-- Each addition looks at four entries, so that those that have ended are never
-- more than about a quarter.
for _, entry in ipairs(redis.call('ZRANDMEMBER', KEYS[1], 4)) do
  if tonumber(string.sub(entry, 49, 64)) <= now then
    redis.call('ZREM', KEYS[1], entry)
  end
end
-- The record may be written a minute later, on a server with another clock.
local ends = now + tonumber(ARGV[2]) + 5 * MINUTE
redis.call('ZADD', KEYS[1], 0, ARGV[1] .. string.format('%016.0f%016.0f', now, ends))
outlive(KEYS[1], vanishAt(ends))
return now

#!lua flags=allow-oom
-- Returns a record, and touches it if nobody has for so long.
-- KEYS: the record. ARGV: how long, 0 for never.

local now = clock()
local r = read(KEYS[1], now)
if not r then
  return {'none'}
end
local touch = tonumber(ARGV[1])
if touch > 0 and now - r.seen >= touch then
  r.seen = now
  write(KEYS[1], r)
  vanish(KEYS[1], r)
end
return reply('ok', now, r, redis.call('HGET', KEYS[1], 'data'))

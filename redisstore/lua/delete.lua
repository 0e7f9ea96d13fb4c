#!lua flags=allow-oom
-- Removes a record. Returns what finds its index entries.
-- KEYS: the record, the leases. ARGV: the record's name among the leases, the
-- version that it must have or 0.

local now = clock()
local r = read(KEYS[1], now)
if not r then
  return {'none'}
end
if ARGV[2] ~= '0' and ARGV[2] ~= r.version then
  return {'conflict'}
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return {'ok', now, r.digests, r.stamps}

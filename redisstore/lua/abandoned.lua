#!lua flags=allow-oom
-- Says whether the lease of a record has run out, or was given up with a wait
-- that is over. If the record has expired, its name leaves the leases.
-- KEYS: the record, the leases. ARGV: the record's name among the leases.

local now = clock()
local r = read(KEYS[1], now)
if not r or due(r) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if due(r) > now then
  return 0
end
return 1

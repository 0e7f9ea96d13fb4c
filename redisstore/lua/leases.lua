#!lua flags=allow-oom
-- Returns names of records whose lease, or the wait after it, seems to be over.
-- KEYS: the leases. ARGV: how many.

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(clock()), 'LIMIT', 0, ARGV[1])

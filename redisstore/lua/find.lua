#!lua flags=allow-oom
-- Returns the time and the next entries of an index. It is a script, so that no
-- replica answers it.
-- KEYS: the index. ARGV: the id after which they begin, how many.

return {clock(), redis.call('ZRANGEBYLEX', KEYS[1], '(' .. ARGV[1] .. '\255', '+',
  'LIMIT', 0, ARGV[2])}

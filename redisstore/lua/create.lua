#!lua
-- Adds a record. It alone is refused when the server's memory is used up.
-- KEYS: the record. ARGV: its content.

local now = clock()
local c = content(1)
local r = read(KEYS[1], now)
if r then
  if r.version == c.version and redis.call('HGET', KEYS[1], 'data') == c.data then
    return {'ok'}
  end
  return {'exists'}
end
if not isIndexed(c, nil, now) then
  return {'index'}
end
r = {seen = now, stamps = '', indexed = 0}
fill(KEYS[1], r, c, now)
write(KEYS[1], r)
vanish(KEYS[1], r)
return {'ok'}

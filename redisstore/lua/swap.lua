#!lua flags=allow-oom
-- Changes a record; see grant.Swap. A renewed token is saved even when the
-- server's memory is used up. The caller has the new data, so the script returns
-- the record's former digests and their stamps instead.
-- KEYS: the record, the leases. ARGV: the record's name among the leases, the
-- version that it must have or 0, owner, lease, wait, and the content if any.

local now = clock()
local r = read(KEYS[1], now)
if not r then
  return {'none'}
end
local member, version, owner = ARGV[1], ARGV[2], ARGV[3]
local lease, wait = tonumber(ARGV[4]), tonumber(ARGV[5])

local function conflict()
  return reply('conflict', now, r, redis.call('HGET', KEYS[1], 'data'))
end

local function hold()
  if lease > 0 then
    r.owner, r.leased, r.wait = owner, now + lease, 0
  end
end

local isOwner = r.owner == owner and owner ~= ''
local isFree = r.owner == '' and r.wait <= now or r.owner ~= '' and r.leased <= now
local hasContent = #ARGV > 5
local former = ''
if version ~= r.version and (version ~= '0' or hasContent) then
  return conflict()
elseif hasContent then
  local c = content(6)
  if not isIndexed(c, r, now) then
    return {'index'}
  end
  if c.stamps ~= '' or c.digests ~= r.digests then
    former = r.digests .. r.stamps
  end
  fill(KEYS[1], r, c, now)
  hold()
elseif lease > 0 and (isOwner or isFree) then
  if not isOwner then
    r.tries = r.tries + 1
    if r.since == 0 then
      r.since = now
    end
  end
  hold()
elseif lease <= 0 and isOwner then
  r.owner, r.leased, r.wait = '', 0, wait > 0 and now + wait or 0
else
  return conflict()
end

write(KEYS[1], r)
if hasContent then
  vanish(KEYS[1], r)
end
if due(r) == 0 then
  redis.call('ZREM', KEYS[2], member)
else
  redis.call('ZADD', KEYS[2], text(due(r)), member)
  outlive(KEYS[2], vanishAt(r.ends))
end
if hasContent then
  return reply('ok', now, r, former)
end
return reply('ok', now, r, redis.call('HGET', KEYS[1], 'data'))

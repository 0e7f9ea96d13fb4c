-- What all scripts begin with. A record is a hash with two fields: data, which
-- only a new content replaces, and meta, which is small. Numbers are
-- microseconds unless they say otherwise; Lua's numbers hold them exactly for
-- the next 230 years. A version has up to 63 bits and stays a string.

local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function text(number)
  return string.format('%.0f', number)
end

-- expires is when the record is no longer found.
local function expires(r)
  if r.idle > 0 and r.seen + r.idle < r.ends then
    return r.seen + r.idle
  end
  return r.ends
end

-- read returns the record at key without its data, or nil if there is none.
local function read(key, now)
  local meta = redis.call('HGET', key, 'meta')
  if not meta then
    return nil
  end
  local r = cmsgpack.unpack(meta)
  if expires(r) <= now then
    return nil
  end
  return r
end

-- due returns when others may take the lease that somebody has, or has given up
-- with a wait, and 0 if there is none.
local function due(r)
  if r.owner ~= '' then
    return r.leased
  end
  return r.wait
end

local function write(key, r)
  redis.call('HSET', key, 'meta', cmsgpack.pack(r))
end

-- vanishAt returns the millisecond in which Redis may delete a key: never before
-- the microsecond that is its end.
local function vanishAt(ends)
  return math.floor(ends / 1000) + 1
end

local function vanish(key, r)
  redis.call('PEXPIREAT', key, text(vanishAt(expires(r))))
end

-- outlive makes a key that lists others stay until the last of them has ended.
local function outlive(key, ms)
  if redis.call('PEXPIRETIME', key) < ms then
    redis.call('PEXPIREAT', key, text(ms))
  end
end

local function reply(status, now, r, data)
  return {status, now, r.version, r.digests, r.written, r.seen, r.ends, r.idle,
    r.owner, r.leased, r.tries, r.since, r.wait, data}
end

local NO_DIGESTS = string.rep('\0', 64)
local MINUTE = 60 * 1000000

-- content returns what ARGV has from number i on: version, data, digests, how
-- long the record lives, how long it may stay untouched, the stamps of its index
-- entries, when the first of these was written, and how long they last.
local function content(i)
  return {
    version = ARGV[i], data = ARGV[i + 1], digests = ARGV[i + 2],
    expires = tonumber(ARGV[i + 3]), idle = tonumber(ARGV[i + 4]),
    stamps = ARGV[i + 5], indexedAt = tonumber(ARGV[i + 6]), lifetime = tonumber(ARGV[i + 7]),
  }
end

-- isIndexed reports whether Find sees the content c until its end: by entries
-- that the caller has just written, or by those of the record r, which may be
-- nil. An entry that waited for its record for longer than a minute does not
-- count, since Find drops entries without a record after five.
local function isIndexed(c, r, now)
  if c.digests == NO_DIGESTS then
    return true
  end
  if c.stamps ~= '' then
    return now - c.indexedAt <= MINUTE
  end
  return r ~= nil and r.digests == c.digests and now + c.expires <= r.indexed
end

-- fill replaces the content of r and ends its lease.
local function fill(key, r, c, now)
  r.version, r.digests, r.idle = c.version, c.digests, c.idle
  r.written, r.ends = now, now + c.expires
  if c.stamps ~= '' then
    r.stamps, r.indexed = c.stamps, c.indexedAt + c.lifetime
  end
  r.owner, r.leased, r.tries, r.since, r.wait = '', 0, 0, 0, 0
  redis.call('HSET', key, 'data', c.data)
end

/*
 * What must be atomic in Redis. All keys of one issuer share a hash tag, so each script runs in one slot of a
 * cluster. Numbers that go into a key are formatted by hand: Lua would round a long one.
 */

/** A fence as it was written, or `nil` for any other value in its place. */
const FENCE = `
local function fenceIn(value, most)
  local fence = tonumber(value)
  if fence and fence >= 0 and fence <= most then return math.floor(fence) end
end
`;
/** The highest with a next one that every replica takes. */
const HIGHEST = 2 ** 52 - 1;
const DAY = 86_400_000;

/** KEYS snapshot. Returns the value, and Redis' clock. */
export const LOAD = `
local time = redis.call('TIME')
return { redis.call('GET', KEYS[1]), time[1] * 1000 + math.floor(time[2] / 1000) }
`;

/**
 * KEYS lease, fence, budget. ARGV token, duration, seen, burst, interval, notAfter, reserve.
 * Returns clock, 1 if the lease is granted or -1 if the budget is spent, fence, milliseconds after which to try again.
 *
 * The fence continues from the highest that any replica has seen; if it has been lost, from the clock, which is far ahead
 * of any counter that began the same way. One that is no number, or further than a day ahead of the clock, is corrupt,
 * and counts as lost. The fence that a replica has seen is included: without it, a clock set back by days would put all
 * later fences below those that replicas hold. The budget is a token bucket kept as the time at which it is full (GCRA);
 * a time that no bucket of this size can have is corrupt.
 * A command that was queued while Redis was away comes too late, and is refused.
 */
export const ACQUIRE = `${FENCE}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = fenceIn(redis.pcall('GET', KEYS[2]), now + ${DAY})
local fence = math.max(kept or now, fenceIn(ARGV[3], ${HIGHEST}) or 0)
local notAfter = tonumber(ARGV[6])
if now > notAfter then return { now, 0, fence, 0 } end
local held = redis.call('PTTL', KEYS[1])
if held > 0 then return { now, 0, fence, held } end
local burst, interval = tonumber(ARGV[4]), tonumber(ARGV[5])
if burst > 0 then
  local fullAt = math.max(now, tonumber(redis.pcall('GET', KEYS[3])) or 0)
  if fullAt > now + burst * interval then fullAt = now end
  local permittedAt = fullAt - (burst - 1 - tonumber(ARGV[7])) * interval
  if permittedAt > now then return { now, -1, fence, math.ceil(permittedAt - now) } end
  redis.call('SET', KEYS[3], string.format('%.0f', fullAt + interval), 'PX', math.ceil((burst + 1) * interval))
end
fence = fence + 1
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'PX', 2592000000)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { now, 1, fence, 0 }
`;

/**
 * KEYS snapshot, lease, fence. ARGV token, fence, snapshot, expiry, channel.
 * Refuses a replica whose lease is no longer the last one granted.
 */
export const SAVE = `${FENCE}
local last = fenceIn(redis.pcall('GET', KEYS[3]), ${HIGHEST})
if last and last > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
`;

/** KEYS lease. ARGV token, channel, notice (may be empty). */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
`;

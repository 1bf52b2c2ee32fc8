-- The load: one kind of request, over a list of ids, round robin; every request is formatted once, before the first is sent.
-- Only the key of `once` is put in when it is sent.
--
--   wrk [options] URL -s wrk.lua -- KIND IDS TOKEN
--
-- KIND is a key of `kinds` below, IDS a file with one id per line, TOKEN the API key. With a person's token each
-- id is followed by its workspace.
-- After the run one line of JSON follows the word RESULT.

local kinds = {
  -- What every official SDK sends to open a door.
  unlock = function(id)
    return "POST", "/locks/unlock_door", '{"device_id":"' .. id .. '"}'
  end,
  -- The same, each with a key of its own.
  once = function(id)
    return "POST", "/locks/unlock_door", '{"device_id":"' .. id .. '"}'
  end,
  -- A thermostat is told to heat.
  heat = function(id)
    return "POST", "/thermostats/set_hvac_mode", '{"hvac_mode_setting":"heat","heating_set_point_celsius":20,"device_id":"' .. id .. '"}'
  end,
  -- What the official SDKs send while they wait for an attempt.
  get = function(id)
    return "GET", "/action_attempts/get?_strict=true&action_attempt_id=" .. id, nil
  end,
  -- The first attempts of a device.
  list = function(id)
    return "GET", "/action_attempts/list?limit=20&device_id=" .. id, nil
  end,
  -- The same question as `get` by POST.
  post = function(id)
    return "POST", "/action_attempts/get", '{"action_attempt_id":"' .. id .. '"}'
  end,
}

local requests = {}
local next_request = 0
-- With `once`: what comes before the key in each request, and what comes behind it.
local keyed = {}
local KEY = "THE-KEY"
local number = 0
local run

function init(args)
  local shape = kinds[args[1]]
  local headers = { ["authorization"] = "Bearer " .. args[3] }
  if args[1] == "once" then
    headers["idempotency-key"] = KEY
    run = string.format("%d-%s", os.time(), tostring({}):match("0x(%x+)"))
  end
  for line in io.lines(args[2]) do
    local id, workspace = line:match("^(%S+)%s*(%S*)$")
    headers["seam-workspace"] = workspace ~= "" and workspace or nil
    local method, path, body = shape(id)
    headers["content-type"] = body and "application/json" or nil
    requests[#requests + 1] = wrk.format(method, path, headers, body)
    if run then
      local from, to = requests[#requests]:find(KEY, 1, true)
      keyed[#requests] = { requests[#requests]:sub(1, from - 1), requests[#requests]:sub(to + 1) }
    end
  end
end

function request()
  next_request = next_request % #requests + 1
  if run then
    number = number + 1
    return keyed[next_request][1] .. run .. "-" .. number .. keyed[next_request][2]
  end
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"answered":%d,"seconds":%.6f,"refused":%d,"broken":%d,"late":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests,
    summary.duration / 1e6,
    errors.status,
    errors.connect + errors.read + errors.write,
    errors.timeout,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3
  ))
end

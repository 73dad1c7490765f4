-- wrk asking a proxy for one target after another, and from the first one on again. Argument: a file of targets, a line
-- each. What was measured is printed as one line of JSON.

local requests = {}
local last = 0

function init(args)
  for target in io.lines(args[1]) do
    wrk.headers["Host"] = target:match("^%w+://([^/]+)")
    requests[#requests + 1] = wrk.format("GET", target)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"bytes":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end

-- wrk speaking to a proxy: every request names its whole target. Arguments: the target, and "close" to end the
-- connection after each request. What was measured is printed as one line of JSON.

function init(args)
  wrk.path = args[1]
  wrk.headers["Host"] = args[1]:match("^%w+://([^/]+)")
  if args[2] == "close" then
    wrk.headers["Connection"] = "close"
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end

-- wrk: a POST with 300 bytes of JSON and an agent's token (TOKEN), as an agent sends it. PREFER and AMOUNT make it a
-- held one. Prints one line of figures at the end.
local amount = os.getenv("AMOUNT") or "120"
local body = '{"amount":' .. amount .. ',"currency":"EUR","customer":"c_17","reason":"'
body = body .. string.rep("x", 298 - #body) .. '"}'

wrk.method = "POST"
wrk.body = body
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
wrk.headers["User-Agent"] = "refund-bot/1.0"
local token = os.getenv("TOKEN")
if token and token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end
if os.getenv("PREFER") then wrk.headers["Prefer"] = os.getenv("PREFER") end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"calls":%d,"failed":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f}\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end

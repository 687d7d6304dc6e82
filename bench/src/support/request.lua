-- The one request of a run, and its figures as JSON on the last line.
-- Arguments: method, then the body if there is one, then "fresh" for a body that is never the same.
local count = 0

function init(args)
  local body = args[2]
  wrk.method = args[1] or "GET"
  wrk.body = body
  if body then wrk.headers["Content-Type"] = "application/json" end
  if args[3] == "fresh" then
    function request()
      count = count + 1
      return wrk.format(nil, nil, nil, body .. blanks(count))
    end
  end
end

-- 24 blanks that spell the number: they change the bytes of the JSON before them, and nothing else.
function blanks(number)
  local spelled = {}
  for position = 1, 24 do
    spelled[position] = number % 2 == 0 and " " or "\n"
    number = math.floor(number / 2)
  end
  return table.concat(spelled)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"medianUs":%.0f,"p99Us":%.0f,"failedAnswers":%d,"socketErrors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

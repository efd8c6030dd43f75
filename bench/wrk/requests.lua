-- Requests from a file, one a line: METHOD <tab> PATH [<tab> BODY]. A body's @N@ becomes something no other request has.
-- Every thread starts at a place of its own and goes round. Ends with one line of JSON for kit/load.py.
--
--     wrk … -s requests.lua URL -- FILE TAG

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	lines, made, count = {}, {}, 0
	tag = args[2] .. "-" .. number .. "-"
	for line in io.lines(args[1]) do
		local method, path, body = line:match("^([^\t]+)\t([^\t]+)\t?(.*)$")
		lines[#lines + 1] = { method, path, body }
		if body == "" then
			made[#made + 1] = wrk.format(method, path)
		end
	end
	at = math.floor(#lines * (number - 1) / 7) + 1
end

function request()
	at = at % #lines + 1
	if made[at] then
		return made[at]
	end
	count = count + 1
	local line = lines[at]
	return wrk.format(line[1], line[2], nil, (line[3]:gsub("@N@", tag .. count)))
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'\n{"requests":%d,"us":%d,"bytes":%d,"p50":%.0f,"p99":%.0f,"max":%.0f,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
		e.status, e.connect + e.read + e.write + e.timeout))
end

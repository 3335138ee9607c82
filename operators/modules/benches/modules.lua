-- Work for the benchmarks: run by benches/modules.rs in our state, and by reference Lua for comparison:
--   lua5.1 operators/modules/benches/modules.lua
local function time(name, count, f)
  f(math.ceil(count / 10))
  local best = math.huge
  for _ = 1, 5 do
    local start = os.clock()
    f(count)
    best = math.min(best, os.clock() - start)
  end
  print(string.format("%-44s %10.1f ns", name, best / count * 1e9))
end

local has_cjson = pcall(require, "cjson")
if has_cjson then
  local cjson = require "cjson"
  local text = [[{"@timestamp":"2015-03-18T15:04:05.123Z","type":"nginx.access","logger":"web","severity":6,"hostname":"web-17.example.com","pid":4711,"fields":{"remote_addr":"203.0.113.97","request":"GET /images/launch-logo.gif?size=large&lang=en HTTP/1.1","status":200,"body_bytes_sent":31245,"request_time":0.043,"upstream_response_time":0.0415,"user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:36.0) Gecko/20100101 Firefox/36.0","referer":"https:\/\/www.example.com\/index.html","tags":["a","b","static","cdn-edge"],"geo":{"country":"DE","city":"M\u00fcnchen","lat":48.137154,"lon":11.576124},"cached":true,"retry":false,"upstream":null,"counts":[1,2,3,5,8,13,21,34,55,89]},"message":"The quick brown fox jumps over the lazy dog, while the log collector counts each and every byte that passes by its door.","trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","parent":"53995c3f42cd8ad8","sampled":true},"context":{"user":"alice","role":"admin","session":"c0ffee1234567890","ip":"198.51.100.23","port":52814}}]]
  print("cjson document: " .. #text .. " bytes")
  time("cjson.decode", 20000, function(n) for _ = 1, n do cjson.decode(text) end end)
  local value = cjson.decode(text)
  time("cjson.encode", 20000, function(n) for _ = 1, n do cjson.encode(value) end end)
  time("cjson.decode {\"a\":1}", 200000, function(n) for _ = 1, n do cjson.decode('{"a":1}') end end)
end

local has_buffers = pcall(require, "circular_buffer")
if has_buffers then
  local cb = circular_buffer.new(1440, 4, 60)
  time("loop alone", 1000000, function(n) for i = 1, n do local x = i * 1e9 end end)
  time("circular_buffer add", 1000000, function(n) for i = 1, n do cb:add(i * 1e9, 1, 1) end end)
  time("circular_buffer set", 1000000, function(n) for i = 1, n do cb:set(i * 1e9, 2, i) end end)
  time("circular_buffer get", 1000000, function(n) for i = 1, n do cb:get(n * 1e9, 1) end end)
  for i = 1, 1440 do for column = 1, 4 do cb:set(i * 60e9, column, i * 100 / 7) end end
  time("circular_buffer text of 5760 numbers", 100, function(n) for _ = 1, n do render(cb) end end)
  local delta = circular_buffer.new(1440, 4, 60, true)
  time("circular_buffer add, delta", 1000000, function(n) for i = 1, n do delta:add(i * 1e6, 1, 1) end end)
end

local line = "203.0.113.97 - - [18/Mar/2015:15:04:05 +0000] \"GET /images/launch-logo.gif HTTP/1.1\" 200 31245"
time("string.match, captures", 200000, function(n)
  for _ = 1, n do line:match('^(%S+) %S+ %S+ %[([^%]]+)%] "(%a+) (%S+) [^"]*" (%d+) (%d+)$') end
end)
time("string.find, plain", 1000000, function(n) for _ = 1, n do line:find("HTTP", 1, true) end end)
time("string.find, pattern", 200000, function(n) for _ = 1, n do line:find("%d+ %d+$") end end)
time("string.gsub, string", 200000, function(n) for _ = 1, n do line:gsub("%d", "#") end end)
time("string.gmatch", 200000, function(n) for _ = 1, n do for word in line:gmatch("%S+") do end end end)
time("string.rep", 1000000, function(n) for _ = 1, n do ("ab"):rep(20) end end)

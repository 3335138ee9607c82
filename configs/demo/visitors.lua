--[=[
# visitors.lua

Makes up the visitors of a web site: every second a few dozen lines of an access log, as one message of the type
`demo.access`. The site has more visitors at some times than at others, and every three minutes it breaks for twenty
seconds: most requests fail, and visitors stay away.

The first call makes up the five minutes before, so that a graph has something to show at once.
--]=]

local math = require "math"
local os = require "os"
local string = require "string"
local table = require "table"

local PERIOD = 180
local BROKEN_FROM, BROKEN_UNTIL = 60, 80
local HISTORY = 300

local PAGES = {"/", "/", "/", "/search?q=kettle", "/basket", "/item/1482", "/item/77", "/img/logo.svg", "/app.css"}
local AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.8.0",
}

-- The second that was made up last, and the first one ever; kept over restarts.
last = nil
origin = nil

local function pick(list)
    return list[math.random(#list)]
end

--- A status code; `broken` is how much of the site fails, from 0 to 1.
local function status(broken)
    local dice = math.random()
    if dice < broken then
        return dice < broken / 3 and 502 or 500
    elseif dice < broken + (1 - broken) * 0.002 then
        return 500
    end
    dice = math.random()
    if dice < 0.86 then return 200 end
    if dice < 0.95 then return 304 end
    if dice < 0.97 then return 301 end
    return 404
end

local function line(second, broken)
    return string.format('10.%d.%d.%d - - [%s] "GET %s HTTP/1.1" %d %d "-" "%s"\n',
        math.random(0, 3), math.random(0, 255), math.random(1, 254),
        os.date("!%d/%b/%Y:%H:%M:%S +0000", second), pick(PAGES), status(broken), math.random(180, 24000), pick(AGENTS))
end

local function lines(second)
    local phase = (second - origin) % PERIOD
    local broken = second >= origin and phase >= BROKEN_FROM and phase < BROKEN_UNTIL
    local visitors = 40 + 8 * math.sin(second / 300 * math.pi) + math.random(-4, 4)
    if broken then
        visitors = visitors / 2
    end
    local made = {}
    for i = 1, visitors do
        made[i] = line(second, broken and 0.7 or 0)
    end
    return table.concat(made)
end

function process_message()
    local now = os.time()
    origin = origin or now
    for second = math.max((last or 0) + 1, now - HISTORY), now do
        inject_message({Type = "demo.access", Payload = lines(second)})
    end
    last = now
    return 0
end

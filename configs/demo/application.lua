--[=[
# application.lua

Makes up the statistics of a shop: every second some statsd lines, as one message of the type `demo.statsd`.
--]=]

local math = require "math"
local os = require "os"
local string = require "string"
local table = require "table"

function process_message()
    local tide = 1 + 0.4 * math.sin(os.time() / 60)
    local lines = {
        string.format("shop.page_views:%d|c", 120 * tide + math.random(-15, 15)),
        string.format("shop.orders:%d|c", 6 * tide + math.random(-2, 2)),
        string.format("shop.carts:%d|g", 40 * tide + math.random(-3, 3)),
    }
    for _ = 1, 20 do
        lines[#lines + 1] = string.format("shop.render:%.1f|ms", 12 + 5 * tide - 6 * math.log(1 - math.random()))
    end
    inject_message({Type = "demo.statsd", Payload = table.concat(lines, "\n") .. "\n"})
    return 0
end

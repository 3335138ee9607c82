--[=[
# heartbeat.lua

Watches hosts: every message is a heartbeat of its `Hostname`, and a host that stays silent is reported.

## Configuration

| key | default | meaning |
|---|---|---|
| `heartbeat_timeout` | 30 | seconds of silence after which a host is down |
| `alert_throttle` | 300 | least number of seconds between two alerts for one host |

## Output

At every tick an alert with a line for each host that is down and was not reported lately, and a payload of type `json`
called `heartbeat` with the state of all hosts; times are in milliseconds. Hosts are never forgotten.

## Example

    [heartbeat]
    type = "SandboxFilter"
    filename = "lua_filters/heartbeat.lua"
    ticker_interval = 30
    preserve_data = true
    message_matcher = "Type == 'heartbeat'"

        [heartbeat.config]
        heartbeat_timeout = 30
        alert_throttle = 300

emits

    Missing Heartbeat - web1

and

    {"web1":{"last_heartbeat":1000000,"status":"down","last_alert":1031000}}
--]=]

local cjson = require "cjson"
local graph = require "graph"
local math = require "math"

local NS_PER_MS = 1e6

local timeout = graph.read_number("heartbeat_timeout", 30) * 1000
local throttle = graph.read_number("alert_throttle", 300) * 1000

hosts = {}

function process_message()
    local name = read_message("Hostname")
    local now = math.floor(read_message("Timestamp") / NS_PER_MS)
    local host = hosts[name]
    if host then
        host.last_heartbeat = now
    else
        hosts[name] = {last_heartbeat = now, last_alert = 0, status = "up"}
    end
    return 0
end

--- Updates the status of a host; true if it is down and that is news.
local function missing(host, now)
    if now - host.last_heartbeat <= timeout then
        host.status = "up"
        return false
    end
    host.status = "down"
    if now - host.last_alert <= throttle then
        return false
    end
    host.last_alert = now
    return true
end

function timer_event(ns)
    local now = math.floor(ns / NS_PER_MS)
    for name, host in pairs(hosts) do
        if missing(host, now) then
            add_to_payload("Missing Heartbeat - ", name, "\n")
        end
    end
    inject_payload("alert", "") -- nothing, when no line was added
    inject_payload("json", "heartbeat", cjson.encode(hosts))
end

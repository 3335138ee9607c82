--[=[
# alert

Sends alerts, but no more often than a throttle allows. An alert is a payload of the type `alert`.

| function | result |
|---|---|
| `send(ns, text)` | sends an alert; false when it was throttled or there is no text |
| `queue(ns, text)` | keeps a text for `send_queue`; false on the same conditions |
| `send_queue(ns)` | sends all queued texts as one alert, a line each; false when nothing was sent |
| `throttled(ns)` | whether an alert at this time would be held back |
| `set_throttle(ns)` | sets the least time between two alerts; at first one hour |

The time of the last alert is the global `_LAST_ALERT`, so that it is kept with preserved data.

## Example

    local alert = require "alert"
    alert.set_throttle(60e9)

    function timer_event(ns)
        if failures > 10 then
            alert.send(ns, failures .. " failures")
        end
    end
--]=]

local math = require "math"
local table = require "table"

local M = {}

local throttle = 60 * 60 * 1e9
local waiting = {}

_LAST_ALERT = _LAST_ALERT or 0

local function empty(text)
    return text == nil or text == ""
end

--- Whether an alert at this time would be held back. The time 0 stands for "now or never": it is not throttled.
function M.throttled(ns)
    if ns == 0 then
        return false
    end
    return ns < _LAST_ALERT or ns - _LAST_ALERT <= throttle
end

function M.send(ns, text)
    if empty(text) or M.throttled(ns) then
        return false
    end
    inject_payload("alert", "", text)
    _LAST_ALERT = math.max(_LAST_ALERT, ns)
    return true
end

function M.queue(ns, text)
    if empty(text) or M.throttled(ns) then
        return false
    end
    waiting[#waiting + 1] = text
    return true
end

--- Sends what is queued. The queue is empty afterwards even if the alert was held back.
function M.send_queue(ns)
    if #waiting == 0 then
        return false
    end
    local text = table.concat(waiting, "\n")
    waiting = {}
    return M.send(ns, text)
end

function M.set_throttle(ns)
    throttle = ns
end

return M

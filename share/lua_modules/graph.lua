--[=[
# graph

What the graphing filters have in common: a circular buffer that is emitted at every tick, with the search for anomalies
in it.

| function | result |
|---|---|
| `read_number(key, default)` | the number configured under `key` |
| `read_anomaly_config(title, rows, sec_per_row)` | the option `anomaly_config`; annotations of the graph live as long as its rows |
| `emit(ns, title, buffer, anomaly_config)` | searches for anomalies, sends an alert for them, and emits the graph |
| `preserve(extra)` | sets `_PRESERVATION_VERSION` from the option `preservation_version` plus `extra` (default 0) |

While alerts are throttled the search is not run. With an `anomaly_config` the first line of the payload holds the
annotations.

## Example

    local graph = require "graph"
    local rows = graph.read_number("rows", 1440)
    local sec_per_row = graph.read_number("sec_per_row", 60)
    local anomaly_config = graph.read_anomaly_config("Title", rows, sec_per_row)
    graph.preserve()
    data = circular_buffer.new(rows, 1, sec_per_row)

    function timer_event(ns)
        graph.emit(ns, "Title", data, anomaly_config)
    end
--]=]

local alert = require "alert"
local annotation = require "annotation"
local anomaly = require "anomaly"

local M = {}

--- The number configured under `key`. Anything else that is configured there is a mistake of the configuration.
function M.read_number(key, default)
    local value = read_config(key)
    if value == nil then
        return default
    end
    local number = tonumber(value)
    if not number then
        error(key .. " must be a number", 0)
    end
    return number
end

function M.preserve(extra)
    _PRESERVATION_VERSION = M.read_number("preservation_version", 0) + (extra or 0)
end

function M.read_anomaly_config(title, rows, sec_per_row)
    local config = anomaly.parse_config(read_config("anomaly_config"))
    if config and title then
        annotation.set_prune(title, rows * sec_per_row * 1e9)
    end
    return config
end

function M.emit(ns, title, buffer, anomaly_config)
    if not anomaly_config then
        inject_payload("cbuf", title, buffer)
        return
    end
    if not alert.throttled(ns) then
        local message, annotations = anomaly.detect(ns, title, buffer, anomaly_config)
        if message then
            annotation.concat(title, annotations)
            alert.send(ns, message)
        end
    end
    inject_payload("cbuf", title, annotation.prune(title, ns) or "", buffer)
end

return M

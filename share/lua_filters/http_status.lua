--[=[
# http_status.lua

Graphs the number of HTTP responses by the hundreds of their status codes.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graph |
| `sec_per_row` | 60 | seconds of each row |
| `status_field` | `status` | name of the field that holds the status, a number |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `alert_throttle` | 3600 | least number of seconds between two alerts |
| `preservation_version` | 0 | raise it when `rows` or `sec_per_row` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called `HTTP Status` with the columns `HTTP_100` to `HTTP_500` and
`HTTP_UNKNOWN`. A message without a numeric status fails.

## Example

    [HTTPStatus]
    type = "SandboxFilter"
    filename = "lua_filters/http_status.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'nginx.access'"

        [HTTPStatus.config]
        anomaly_config = 'roc("HTTP Status", 2, 15, 0, 1.5, true, false)'

emits

    {"annotations":{}}
    {"time":0,"rows":1440,"columns":6,"seconds_per_row":60,"column_info":[{"name":"HTTP_100","unit":"count", …
    nan	27	nan	3	nan	nan
    …
--]=]

require "circular_buffer"
local alert = require "alert"
local graph = require "graph"
local math = require "math"

local TITLE = "HTTP Status"
local COLUMNS = {"HTTP_100", "HTTP_200", "HTTP_300", "HTTP_400", "HTTP_500", "HTTP_UNKNOWN"}
local UNKNOWN = #COLUMNS

local rows = graph.read_number("rows", 1440)
local sec_per_row = graph.read_number("sec_per_row", 60)
local status_variable = "Fields[" .. (read_config("status_field") or "status") .. "]"
local anomaly_config = graph.read_anomaly_config(TITLE, rows, sec_per_row)
alert.set_throttle(graph.read_number("alert_throttle", 3600) * 1e9)

-- The layout of the columns has changed once, hence the 1 on top of what the user sets.
graph.preserve(1)
data = circular_buffer.new(rows, #COLUMNS, sec_per_row)
for column, name in ipairs(COLUMNS) do
    data:set_header(column, name)
end

function process_message()
    local status = read_message(status_variable)
    if type(status) ~= "number" then
        return -1
    end
    local column = math.floor(status / 100)
    if column < 1 or column >= UNKNOWN then
        column = UNKNOWN
    end
    data:add(read_message("Timestamp"), column, 1)
    return 0
end

function timer_event(ns)
    graph.emit(ns, TITLE, data, anomaly_config)
end

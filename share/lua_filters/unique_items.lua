--[=[
# unique_items.lua

Graphs how many different values a header or field has, as estimated by a HyperLogLog (within about one percent).

## Configuration

| key | default | meaning |
|---|---|---|
| `message_variable` | required | the value to count, as in `Fields[uid]`; a text or number |
| `title` | `Estimated Unique Daily <message_variable>` | name of the graph |
| `enable_delta` | `false` | emit the changes as well, for an aggregator |
| `rows` | 365 | rows of the graph |
| `seconds_per_row` | 86400 | seconds of each row; counting starts afresh with each |
| `preservation_version` | 0 | raise it when the rows change and the data is preserved |

## Output

At every tick a payload of type `cbuf`, and one of type `cbufd` with `enable_delta`. A message without the value fails;
one that is older than the current row is passed over.

## Example

    [FxaActiveDailyUsers]
    type = "SandboxFilter"
    filename = "lua_filters/unique_items.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Logger == 'FxaAuth' && Type == 'request.summary' && Fields[uid] != NIL"

        [FxaActiveDailyUsers.config]
        message_variable = "Fields[uid]"
        title = "Estimated Active Daily Users"
        preservation_version = 0

emits

    {"time":345600,"rows":365,"columns":1,"seconds_per_row":86400,"column_info":[{"name":"uid","unit":"count","aggregation":"sum"}]}
    …
    3
    1
--]=]

require "circular_buffer"
require "hyperloglog"
local graph = require "graph"
local math = require "math"
local string = require "string"

local variable = read_config("message_variable")
if not variable then
    error("message_variable configuration must be specified", 0)
end
local title = read_config("title") or "Estimated Unique Daily " .. variable
local enable_delta = read_config("enable_delta") or false
local rows = graph.read_number("rows", 365)
local seconds_per_row = graph.read_number("seconds_per_row", 86400)

graph.preserve()
data = circular_buffer.new(rows, 1, seconds_per_row, enable_delta)
data:set_header(1, string.match(variable, "^Fields%[(.*)%]$") or variable)
hll = hyperloglog.new()
active_row = 0 -- number of the row that is counted

--- Starts afresh with a new row; false if the message belongs to a row that is over.
local function is_current(ns)
    local row = math.floor(ns / (seconds_per_row * 1e9))
    if row > active_row then
        active_row = row
        hll:clear()
    end
    return row == active_row
end

function process_message()
    local item = read_message(variable)
    if type(item) ~= "string" and type(item) ~= "number" then
        return -1
    end
    local ns = read_message("Timestamp")
    if is_current(ns) and hll:add(item) then
        data:set(ns, 1, hll:count())
    end
    return 0
end

function timer_event()
    inject_payload("cbuf", title, data:format("cbuf"))
    if enable_delta then
        inject_payload("cbufd", title, data:format("cbufd"))
    end
end

--[=[
# field_graph

What the filters have in common that graph numeric fields of messages as they are.

| function | result |
|---|---|
| `new(title, columns)` | the `process_message` and the `timer_event` of a filter |

Each of the columns is a table with `name`, the name of the column and of the field that it shows, `unit`, and `value`,
a function to compute the value if it is no field. A row holds the greatest values of its time. The buffer is the global
`data`, so that it is kept with preserved data. The options `rows`, `sec_per_row`, `anomaly_config` and
`preservation_version` are read here.

`process_message` fails at the first value that is missing; what came before it is in the graph already. With `{optional
= true}` as third argument of `new`, missing values are passed over.

## Example

    local field_graph = require "field_graph"
    process_message, timer_event = field_graph.new("LoadAvg Stats", {{name = "1MinAvg", unit = "Count"}})
--]=]

require "circular_buffer"
local graph = require "graph"

local M = {}

local function read_field(variable)
    return function()
        return read_message(variable)
    end
end

function M.new(title, columns, options)
    local optional = options and options.optional
    local rows = graph.read_number("rows", 1440)
    local sec_per_row = graph.read_number("sec_per_row", 60)
    local anomaly_config = graph.read_anomaly_config(title, rows, sec_per_row)

    graph.preserve()
    data = circular_buffer.new(rows, #columns, sec_per_row)
    local values = {}
    for i, column in ipairs(columns) do
        data:set_header(i, column.name, column.unit, "max")
        values[i] = column.value or read_field("Fields[" .. column.name .. "]")
    end

    local function process_message()
        local ns = read_message("Timestamp")
        for i, value in ipairs(values) do
            local number = value()
            if type(number) == "number" then
                data:set(ns, i, number)
            elseif not optional then
                return -1
            end
        end
        return 0
    end

    local function timer_event(ns)
        graph.emit(ns, title, data, anomaly_config)
    end

    return process_message, timer_event
end

return M

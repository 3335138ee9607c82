--[=[
# cbuf_librato.lua

Writes the rows of graphs, payloads of the type `cbuf`, as gauges for the Librato API. Each row is written once, when it
is complete.

## Configuration

| key | default | meaning |
|---|---|---|
| `message_key` | `%{Logger}:%{payload_name}` | what tells graphs apart; placeholders are replaced as the module `msg_interpolate` does |

Use `preserve_data = true`, or the rows are written again after a restart.

## Output

A JSON object with a gauge for each number. Nothing is written when no row is new. A payload fails that is no graph, has
less than three rows or not as many as it says, is older than the one before or does not continue it, or has a cell that
is no number.

## Example

    [librato-encoder]
    type = "SandboxEncoder"
    filename = "lua_encoders/cbuf_librato.lua"
    preserve_data = true

    [librato]
    type = "HttpOutput"
    message_matcher = "Type == 'heka.sandbox-output' && Fields[payload_type] == 'cbuf'"
    encoder = "librato-encoder"
    address = "https://metrics-api.librato.com/v1/metrics"
    username = "user@example.com"
    password = "token"

        [librato.headers]
        Content-Type = ["application/json"]

writes

    {"gauges":[{"value":1,"measure_time":1410823460,"name":"HTTP_200","source":"web1"}]}
--]=]

local cjson = require "cjson"
local interpolate = require("msg_interpolate").interpolate_from_msg
local lpeg = require "lpeg"
local math = require "math"

local P, S, C, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cg, lpeg.Ct

local FAILED, NOTHING_NEW = -1, -2

local message_key = read_config("message_key") or "%{Logger}:%{payload_name}"

last_times = {} -- time of the last header, in seconds, by the key of the graph

local line = C(P"{" * (1 - P"\n") ^ 0) * "\n"
local extra_line = P'{"' * (P"annotations" + "options") * '"' * (1 - P"\n") ^ 0 * "\n"
local cell = C((1 - S"\t\n") ^ 1)
local row = Ct(cell * (P"\t" * cell) ^ 0) * "\n"
local graph_grammar = Ct(extra_line ^ 0 * Cg(line, "header") * Cg(Ct(row ^ 1), "rows")) * -1

local function parse_header(text)
    local ok, header = pcall(cjson.decode, text)
    if ok and type(header) == "table" and type(header.time) == "number" and type(header.rows) == "number"
        and type(header.seconds_per_row) == "number" and type(header.column_info) == "table" then
        return header
    end
end

--- How many of the rows before the newest have not been written; nil if the graph does not continue the last one.
local function count_new_rows(header, last_time)
    local complete = header.rows - 1
    if not last_time then
        return complete
    end
    local advance = (header.time - last_time) / header.seconds_per_row
    if advance < 0 or advance ~= math.floor(advance) then
        return nil
    end
    return math.min(advance, complete)
end

--- The number in a cell; false for one that is finite no more, nil for text.
local function cell_value(text)
    local value = tonumber(text)
    if value and (value ~= value or math.abs(value) == math.huge) then
        return false
    end
    return value
end

--- Adds the gauges of a row; false if a cell is no number.
local function add_row(gauges, cells, header, time, source)
    for column, text in ipairs(cells) do
        local value = cell_value(text)
        local info = header.column_info[column]
        if value == nil or type(info) ~= "table" then
            return false
        elseif value then
            gauges[#gauges + 1] = {name = info.name, value = value, source = source, measure_time = time}
        end
    end
    return true
end

--- The gauges of the rows `first` to `last`; nil if a cell is no number.
local function make_gauges(rows, header, first, last)
    local gauges, source = {}, read_message("Hostname")
    for i = first, last do
        local time = header.time + (i - 1) * header.seconds_per_row
        if not add_row(gauges, rows[i], header, time, source) then
            return nil
        end
    end
    return gauges
end

function process_message()
    local graph = graph_grammar:match(read_message("Payload"))
    local header = graph and parse_header(graph.header)
    if not header or header.rows < 3 or #graph.rows ~= header.rows then
        return FAILED
    end
    local key = interpolate(message_key)
    local new_rows = count_new_rows(header, last_times[key])
    if not new_rows then
        return FAILED
    elseif new_rows == 0 then
        return NOTHING_NEW
    end
    local gauges = make_gauges(graph.rows, header, header.rows - new_rows, header.rows - 1)
    if not gauges then
        return FAILED
    end
    last_times[key] = header.time
    if #gauges == 0 then
        return NOTHING_NEW
    end
    inject_payload("json", "librato", cjson.encode({gauges = gauges}))
    return 0
end

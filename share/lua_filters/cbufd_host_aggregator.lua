--[=[
# cbufd_host_aggregator.lua

Shows the graphs of several hosts side by side: for each column of the graphs that filters on these hosts emit as
payloads of the type `cbufd`, a graph with a column for each host.

## Configuration

| key | default | meaning |
|---|---|---|
| `max_hosts` | required | columns of each graph |
| `rows` | required | rows of each graph |
| `host_expiration` | 120 | seconds without a message after which a new host may take over the column of an old one |
| `preservation_version` | 0 | raise it when `max_hosts` or `rows` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` for each column of each graph, called `<name> (<column>)`, with the options of a
stacked graph as its first line. A payload that cannot be read fails. More hosts than columns end the filter.

## Example

    [FxaAuthHosts]
    type = "SandboxFilter"
    filename = "lua_filters/cbufd_host_aggregator.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Logger =~ /^FxaAuth/ && Fields[payload_type] == 'cbufd'"

        [FxaAuthHosts.config]
        max_hosts = 2
        rows = 1440

emits

    {"options":{"stackedGraph":true,"fillGraph":true}}
    {"time":0,"rows":1440,"columns":2,"seconds_per_row":60,"column_info":[{"name":"web1","unit":"count", …
    nan	nan
    5	6
    …
--]=]

require "circular_buffer"
local changes = require "cbuf_changes"
local graph = require "graph"

local OPTIONS = '{"options":{"stackedGraph":true,"fillGraph":true}}\n'

local rows = graph.read_number("rows")
if not rows then
    error("rows configuration must be specified", 0)
end
local max_hosts = graph.read_number("max_hosts")
if not max_hosts then
    error("max_host configuration must be specified", 0)
end
local expiration = graph.read_number("host_expiration", 120) * 1e9

graph.preserve()
hosts = {}        -- {name = …, last_seen = ns} by column
host_columns = {} -- column by name
graphs = {}       -- by name: {title = …, buffer = …, unit = …, aggregation = …} by column of the source

--- The column of a host that was not seen for so long that another may have it.
local function expired_column(ns)
    for column, host in ipairs(hosts) do
        if ns - host.last_seen >= expiration then
            return column
        end
    end
end

local function name_column(entry, column)
    entry.buffer:set_header(column, hosts[column].name, entry.unit, entry.aggregation)
end

local function assign_column(name, ns)
    local column = #hosts + 1
    if column > max_hosts then
        column = expired_column(ns)
        if not column then
            error("The number of hosts exceeds the 'max_hosts' configuration", 0)
        end
        host_columns[hosts[column].name] = nil
    end
    hosts[column] = {name = name, last_seen = ns}
    host_columns[name] = column
    for _, entries in pairs(graphs) do
        for _, entry in pairs(entries) do
            name_column(entry, column)
        end
    end
    return column
end

local function host_column(name, ns)
    local column = host_columns[name]
    if not column then
        return assign_column(name, ns)
    end
    if ns > hosts[column].last_seen then
        hosts[column].last_seen = ns
    end
    return column
end

--- Creates the graph for one column of the graph called `name`.
local function new_entry(name, header, info)
    local entry = {
        title = name .. " (" .. info.name .. ")",
        buffer = circular_buffer.new(rows, max_hosts, header.seconds_per_row),
        unit = info.unit,
        aggregation = info.aggregation,
    }
    for column = 1, #hosts do
        name_column(entry, column)
    end
    return entry
end

local function new_entries(name, header)
    local entries = {}
    for i, info in ipairs(header.column_info) do
        entries[i] = new_entry(name, header, info)
    end
    return entries
end

function process_message()
    local change_rows, header = changes.parse(read_message("Payload"))
    if not change_rows then
        return -1
    end
    local column = host_column(read_message("Hostname"), read_message("Timestamp"))
    local name = read_message("Fields[payload_name]") or ""
    if not graphs[name] then
        local ok, entries = pcall(new_entries, name, header)
        if not ok then
            return -1
        end
        graphs[name] = entries
    end
    for _, row in ipairs(change_rows) do
        for i, entry in ipairs(graphs[name]) do
            changes.apply(entry.buffer, row.time, column, row[i], entry.aggregation)
        end
    end
    return 0
end

function timer_event()
    for _, entries in pairs(graphs) do
        for _, entry in ipairs(entries) do
            inject_payload("cbuf", entry.title, OPTIONS, entry.buffer)
        end
    end
end

--[=[
# frequent_items.lua

Finds the most frequent values of a header or field in bounded memory. The weights are lower bounds of the numbers of
occurrences when there are more values than room.

## Configuration

| key | default | meaning |
|---|---|---|
| `message_variable` | required | the value to count, as in `Fields[remote_addr]` |
| `max_items` | 1000 | number of values to keep |
| `min_output_weight` | 100 | values are output when their weight is greater than that |
| `reset_days` | 1 | days, in UTC, after which counting starts afresh; 0 for never |

## Output

At every tick a payload of type `tsv` called `Weighting by <message_variable>`. A message without the variable fails.

## Example

    [FrequentItems]
    type = "SandboxFilter"
    filename = "lua_filters/frequent_items.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'nginx.access'"

        [FrequentItems.config]
        message_variable = "Fields[remote_addr]"

emits

    Fields[remote_addr]	Weight
    10.0.0.7	2131
    10.0.0.9	164
--]=]

local graph = require "graph"
local math = require "math"

local NS_PER_DAY = 24 * 60 * 60 * 1e9

local variable = read_config("message_variable")
if not variable then
    error("message_variable configuration must be specified", 0)
end
local max_items = graph.read_number("max_items", 1000)
local min_output_weight = graph.read_number("min_output_weight", 100)
local reset_days = graph.read_number("reset_days", 1)

items = {}      -- weight by value
item_count = 0
active_day = 0

--- Makes room by taking one from each weight.
local function decrement_all()
    for item, weight in pairs(items) do
        if weight > 1 then
            items[item] = weight - 1
        else
            items[item] = nil
            item_count = item_count - 1
        end
    end
end

local function count(item)
    local weight = items[item]
    if weight then
        items[item] = weight + 1
    elseif item_count < max_items then
        items[item] = 1
        item_count = item_count + 1
    else
        decrement_all()
    end
end

--- Starts afresh on another day; false if the message belongs to a day that is over.
local function is_current(ns)
    if reset_days == 0 then
        return true
    end
    local day = math.floor(ns / NS_PER_DAY)
    if day < active_day then
        return false
    end
    if day - active_day >= reset_days then
        items, item_count, active_day = {}, 0, day
    end
    return true
end

function process_message()
    local item = read_message(variable)
    if item == nil then
        return -1
    end
    if is_current(read_message("Timestamp")) then
        count(item)
    end
    return 0
end

function timer_event()
    add_to_payload(variable, "\tWeight\n")
    for item, weight in pairs(items) do
        if weight > min_output_weight then
            add_to_payload(item, "\t", weight, "\n")
        end
    end
    inject_payload("tsv", "Weighting by " .. variable)
end

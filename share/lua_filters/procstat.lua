--[=[
# procstat.lua

Turns the ever growing counters that the decoder `linux_procstat.lua` reads into what happened between two messages.

## Configuration

| key | default | meaning |
|---|---|---|
| `whitelist` | all | Lua pattern of the fields to look at, as in `cpu$` |
| `extras` | `false` | emit the differences and shares of each state, too |
| `percent_integer` | `true` | round percentages to whole numbers |

## Output

From the second message on, a message of the type `procstat` (`heka.sandbox.procstat` after the host) for each one. For
each field whose name begins with `cpu` it has `<field>_percent`, the time not spent idle. With `extras` it has also

* `<field>_delta_<state>` for the states `user`, `nice`, `system`, `idle`, `iowait`, `irq`, `softirq`, `steal`, `guest` and
  `guestnice`, and their sum `<field>_delta_ticks`,
* `<field>_percent_user`, `_nice`, `_system`, `_idle` and `_iowait`,
* `softirq_delta_<i>` for the numbers of `softirq`,
* `<field>_delta` for each field of one number.

There are no percentages when no time has passed.

## Example

    [ProcStatFilter]
    type = "SandboxFilter"
    filename = "lua_filters/procstat.lua"
    message_matcher = "Type == 'stats.procstat'"

        [ProcStatFilter.config]
        whitelist = "cpu$"

emits

    :Type: heka.sandbox.procstat
    :Fields:
        | name:"cpu_percent" type:double value:70
--]=]

local math = require "math"
local string = require "string"

local STATES = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guestnice"}
local SHARES = {"user", "nice", "system", "idle", "iowait"} -- the first of the states
local IDLE = 4

local whitelist = read_config("whitelist") or ""
local extras = read_config("extras")
local percent_integer = read_config("percent_integer") ~= false

previous = nil -- the numbers of the message before, by field

--- All numbers of the current field; nil if it does not hold numbers.
local function read_numbers(name, first, count)
    if type(first) ~= "number" then
        return nil
    end
    local numbers = {first}
    for i = 2, count do
        numbers[i] = read_message("Fields[" .. name .. "]", 0, i - 1)
    end
    return numbers
end

--- The numbers of all fields to look at.
local function read_sample()
    local sample = {}
    while true do
        local value_type, name, value, _, count = read_next_field()
        if not value_type then
            return sample
        end
        if string.find(name, whitelist) then
            sample[name] = read_numbers(name, value, count)
        end
    end
end

--- The differences of two arrays; nil if they are not of the same length.
local function differences(new, old)
    if not old or #old ~= #new then
        return nil
    end
    local deltas = {}
    for i, value in ipairs(new) do
        deltas[i] = value - old[i]
    end
    return deltas
end

local function percent(part, whole)
    local value = 100 * part / whole
    if percent_integer then
        value = math.ceil(value - 0.5)
    end
    return value + 0 -- -0 becomes 0
end

local function total_of(deltas)
    local total = 0
    for i = 1, math.min(#deltas, #STATES) do
        total = total + deltas[i]
    end
    return total
end

local function add_cpu(fields, name, deltas)
    local total = total_of(deltas)
    if extras then
        for i, state in ipairs(STATES) do
            fields[name .. "_delta_" .. state] = deltas[i]
        end
        fields[name .. "_delta_ticks"] = total
    end
    if total == 0 then
        return
    end
    fields[name .. "_percent"] = percent(total - deltas[IDLE], total)
    if extras then
        for i, state in ipairs(SHARES) do
            if deltas[i] then
                fields[name .. "_percent_" .. state] = percent(deltas[i], total)
            end
        end
    end
end

local function add_field(fields, name, deltas)
    if string.find(name, "^cpu") and deltas[IDLE] then
        add_cpu(fields, name, deltas)
    elseif not extras then
        return
    elseif name == "softirq" then
        for i, delta in ipairs(deltas) do
            fields["softirq_delta_" .. i] = delta
        end
    elseif #deltas == 1 then
        fields[name .. "_delta"] = deltas[1]
    end
end

function process_message()
    local sample = read_sample()
    local old = previous
    previous = sample
    if not old then
        return 0
    end
    local fields = {}
    for name, numbers in pairs(sample) do
        local deltas = differences(numbers, old[name])
        if deltas then
            add_field(fields, name, deltas)
        end
    end
    inject_message({
        Type = "procstat",
        Timestamp = read_message("Timestamp"),
        Payload = read_message("Payload"),
        Fields = fields,
    })
    return 0
end

function timer_event()
end

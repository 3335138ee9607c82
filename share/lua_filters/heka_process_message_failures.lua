--[=[
# heka_process_message_failures.lua

Watches the daemon's own reports for plugins whose failures rise, and sends alerts.

## Configuration

| key | default | meaning |
|---|---|---|
| `anomaly_config` | `mww_nonparametric("DEFAULT", 1, 5, 10, 0.7)` | anomalies to look for in the failures of a plugin, by its name; `DEFAULT` is for plugins without an entry. See the module `anomaly` |

## Output

At every tick at most one alert, with a line for each plugin that has an anomaly; a plugin is reported once in an hour.
The failures are kept for an hour, in rows of a minute. Plugins that the latest report does not have are forgotten.

## Errors

A report that is not JSON fails, and one with `invalid entry in section <section>` or `missing plugin Name`.

## Example

    [HekaProcessMessageFailures]
    type = "SandboxFilter"
    filename = "lua_filters/heka_process_message_failures.lua"
    ticker_interval = 60
    preserve_data = false
    message_matcher = "Type == 'heka.all-report'"

emits

    nginx_decoder - algorithm: mww_nonparametric col: 1 msg: detected anomaly, pstat: 0.944444
--]=]

require "circular_buffer"
local alert = require "alert"
local anomaly = require "anomaly"
local cjson = require "cjson"
local table = require "table"

local SECTIONS = {"inputs", "decoders", "filters", "encoders", "outputs"}
local ROWS, SEC_PER_ROW = 60, 60
local ONE_HOUR = 60 * 60 * 1e9

local config = anomaly.parse_config(read_config("anomaly_config") or 'mww_nonparametric("DEFAULT", 1, 5, 10, 0.7)')

-- Many plugins may alert at the same time; each is throttled by itself.
alert.set_throttle(0)

plugins = {} -- by name: {buffer = …, last_alert = ns, last_report = number}
local report_count = 0

--- A plugin's own algorithms: detection keeps the time of its last run with them.
local function copy_algorithms(name)
    local copy = {}
    for i, algorithm in ipairs(config[name] or config.DEFAULT or {}) do
        copy[i] = algorithm
    end
    return {[name] = copy}
end

local configs = {}

local function config_for(name)
    local known = configs[name]
    if not known then
        known = copy_algorithms(name)
        configs[name] = known
    end
    return known
end

local function new_plugin()
    local buffer = circular_buffer.new(ROWS, 1, SEC_PER_ROW)
    buffer:set_header(1, "Failures", "count", "max")
    return {buffer = buffer}
end

--- The number of failures in the entry of a plugin; nil if it does not count them.
local function failures_of(entry)
    local failures = entry.ProcessMessageFailures
    if type(failures) == "table" then
        failures = failures.value
    end
    return type(failures) == "number" and failures or nil
end

local function process_entry(entry, ns)
    local failures = failures_of(entry)
    if not failures then
        return
    end
    local plugin = plugins[entry.Name]
    if not plugin then
        plugin = new_plugin()
        plugins[entry.Name] = plugin
    end
    plugin.last_report = report_count
    if failures > 0 then
        plugin.buffer:set(ns, 1, failures)
    end
end

--- The error in a section of the report, or nil.
local function process_section(report, section, ns)
    local entries = report[section]
    if entries == nil then
        return nil
    elseif type(entries) ~= "table" then
        return "invalid entry in section " .. section
    end
    for _, entry in ipairs(entries) do
        if type(entry) ~= "table" then
            return "invalid entry in section " .. section
        elseif type(entry.Name) ~= "string" then
            return "missing plugin Name"
        end
        process_entry(entry, ns)
    end
end

local function forget_missing_plugins()
    for name, plugin in pairs(plugins) do
        if plugin.last_report ~= report_count then
            plugins[name] = nil
            configs[name] = nil
        end
    end
end

function process_message()
    local ok, report = pcall(cjson.decode, read_message("Payload"))
    if not ok or type(report) ~= "table" then
        return -1
    end
    local ns = read_message("Timestamp")
    report_count = report_count + 1
    for _, section in ipairs(SECTIONS) do
        local problem = process_section(report, section, ns)
        if problem then
            return -1, problem
        end
    end
    forget_missing_plugins()
    return 0
end

function timer_event(ns)
    local messages = {}
    for name, plugin in pairs(plugins) do
        if not plugin.last_alert or ns - plugin.last_alert > ONE_HOUR then
            local message = anomaly.detect(ns, name, plugin.buffer, config_for(name))
            if message then
                plugin.last_alert = ns
                messages[#messages + 1] = message
            end
        end
    end
    alert.send(ns, table.concat(messages, "\n"))
end

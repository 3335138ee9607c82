-- How values of all kinds are written.
local check = require "check"
local fields
function read_message(variable)
    return variable == "raw" and "raw" or variable == "Timestamp" and 2e9 or nil
end
function decode_message()
    return {Fields = fields}
end

local ts = require "ts_line_protocol"

local function line(kind, value, options)
    fields = {{name = "f", value = {value}}}
    return ts[kind .. "_line_msg"](ts.set_config(options or {timestamp_precision = "s"}))[1]
end

local carbon = {
    {1, "1"}, {-5, "-5"}, {0.12, "0.12"}, {1e15, "1000000000000000"}, {-1e20, "-100000000000000000000"}, {5e-5, "0.00005"},
    {"text", nil}, {true, nil}, {0 / 0, nil}, {1 / 0, nil},
}
for _, case in ipairs(carbon) do
    check.equal(line("carbon", case[1]), case[2] and "f " .. case[2] .. " 2", tostring(case[1]))
end

local influx = {
    {1, "1.000000"}, {-0.5, "-0.500000"}, {'q"x', [["q\"x"]]}, {"a\\", [["a\\"]]}, {true, "true"}, {false, "false"},
    {0 / 0, nil}, {-1 / 0, nil},
}
for _, case in ipairs(influx) do
    check.equal(line("influxdb", case[1]), case[2] and "f value=" .. case[2] .. " 2", tostring(case[1]))
end

check.equal(line("influxdb", 1.23456, {decimal_precision = "2", value_field_key = "v"}), "f v=1.23 2000")

fields = nil
check.equal(ts.influxdb_line_msg(ts.set_config{}), {}, "a message without fields")
check.equal(ts.carbon_line_msg(ts.set_config{}), {})

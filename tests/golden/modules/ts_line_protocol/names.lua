-- Names, tags, and what is left out.
local check = require "check"
local headers = {Timestamp = 0, raw = "raw", Hostname = "a, b=c", Type = "T", Logger = "", Severity = 7}
local fields
function read_message(variable)
    return headers[variable]
end
function decode_message()
    return {Fields = fields}
end

local table = require "table"
local ts = require "ts_line_protocol"

local function names(options)
    local found = {}
    for i, text in ipairs(ts.influxdb_line_msg(ts.set_config(options))) do
        found[i] = text
    end
    table.sort(found)
    return found
end

-- Tags: empty ones are left out, the signs that separate are escaped.
fields = {{name = "f g", value = {1}}}
check.equal(names{}, {[[f\ g,Type=T,Severity=7,Hostname=a\,\ b\=c value=1.000000 0]]})
check.equal(names{tag_fields_str = "Type"}, {[[f\ g,Type=T value=1.000000 0]]})
check.equal(names{tag_fields_str = "nothing"}, {[[f\ g value=1.000000 0]]})

-- A prefix is interpolated; the delimiter stands even without one.
check.equal(names{tag_fields_str = "-", name_prefix = "%{Type}", name_prefix_delimiter = "."}, {[[T.f\ g value=1.000000 0]]})
check.equal(names{tag_fields_str = "-", name_prefix_delimiter = "."}, {[[.f\ g value=1.000000 0]]})

-- Repeated names and arrays.
fields = {{name = "f", value = {1, 2, 3}}, {name = "f", value = {4, 5}}, {name = "f", value = {6}}}
check.equal(names{tag_fields_str = "-", decimal_precision = "0"}, {
    "f value=1 0", "f_fidx_1 value=4 0", "f_fidx_1_vidx_1 value=5 0", "f_fidx_2 value=6 0", "f_vidx_1 value=2 0",
    "f_vidx_1_vidx_2 value=3 0",
})
check.equal(names{tag_fields_str = "-", decimal_precision = "0", plain_array_index = true}, {
    "f value=1 0", "f_fidx_1 value=4 0", "f_fidx_1_vidx_1 value=5 0", "f_fidx_2 value=6 0", "f_vidx_1 value=2 0",
    "f_vidx_2 value=3 0",
})

-- In Carbon's format the options mean the written names.
fields = {{name = "a.b", value = {1}}, {name = "c", value = {2}}}
check.equal(ts.carbon_line_msg(ts.set_config{carbon_format = true, skip_fields_str = "a_b"}), {"c 2 0"})
check.equal(ts.carbon_line_msg(ts.set_config{carbon_format = true, source_value_field = "a_b", name_prefix = "p"}), {"p 1 0"})
check.equal(ts.carbon_line_msg(ts.set_config{carbon_format = true, source_value_field = "a.b", name_prefix = "p"}), {})

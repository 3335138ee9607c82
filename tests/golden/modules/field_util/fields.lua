local check = require "check"
local timestamp = 54321999999999
function read_message()
    return timestamp
end

local field_util = require "field_util"

local function base(extra)
    local set = {
        EnvVersion = true, Hostname = true, Logger = true, Payload = true, Pid = true, Severity = true, Type = true,
    }
    for name in pairs(extra or {}) do
        set[name] = true
    end
    return set
end

local cases = {
    {nil, {base(), true, false}},
    {"", {base(), true, false}},
    {"a  b", {{a = true, b = true}, false, false}},
    {"**all_base** x", {base{["**all_base**"] = true, x = true}, true, false}},
    {"**all**", {base{["**all**"] = true}, true, true}},
}
for _, case in ipairs(cases) do
    check.equal({field_util.field_map(case[1])}, case[2], tostring(case[1]))
end

for precision, expected in pairs{s = 54321, m = 905, h = 15, ms = 54321999, other = 54321999} do
    check.equal(field_util.message_timestamp(precision), expected, precision)
end
check.equal(field_util.message_timestamp(), 54321999)

check.equal(field_util.used_base_fields(nil), {})
check.equal(field_util.used_base_fields{Payload = true, x = true}, {"Payload"})
check.equal(field_util.base_fields_list, base())
check.equal(field_util.base_fields_tag_list, {Hostname = true, Logger = true, Severity = true, Type = true})

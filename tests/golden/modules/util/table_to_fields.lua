local check = require "check"
local cjson = require "cjson"
local util = require "util"

local function flat(...)
    local fields = {}
    local t, parent, separator, max_depth = ...
    util.table_to_fields(t, fields, parent, separator, max_depth)
    return fields
end

check.equal(flat{a = 1, b = {c = "x", d = {e = true}}}, {a = 1, ["b.c"] = "x", ["b.d.e"] = true})
check.equal(flat{l = {1, 2, {z = 3}}}, {["l.1"] = 1, ["l.2"] = 2, ["l.3.z"] = 3})
check.equal(flat{empty = {}, null = cjson.null}, {})
check.equal(flat({b = {c = 1}}, "top", "-"), {["top-b-c"] = 1})

-- The depth counts levels, whatever the separator means to Lua's patterns.
for _, separator in ipairs{".", "-", "%", "__"} do
    local fields = flat({name = {inner = {deepest = "value"}}}, nil, separator, 2)
    check.equal(fields, {["name" .. separator .. "inner"] = '{"deepest":"value"}'}, separator)
end
check.equal(flat({a = {b = 1}}, nil, ".", 1), {a = '{"b":1}'})
check.equal(flat({a = {b = 1}}, "p", ".", 2), {["p.a"] = '{"b":1}'})

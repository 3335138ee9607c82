--[=[
# nginx_error_log

The grammar for lines of nginx's error log, for `common_log_format`.

| pattern | captures |
|---|---|
| `nginx_error_grammar` | a table that `inject_message` takes |
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local lpeg = require "lpeg"

local P, C, Cc, Cg, Ct = lpeg.P, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local digit = lpeg.digit

local M = {}

local levels = P(false)
for level, severity in pairs{debug = 7, info = 6, notice = 5, warn = 4, error = 3, crit = 2, alert = 1, emerg = 0} do
    levels = levels + P(level) * Cc(severity)
end

local error_time = date_time.as_ns(date_time.build_strftime_grammar("%Y/%m/%d %H:%M:%S"))
local connection = P"*" * Cg(digit ^ 1 / tonumber, "connection") * " "
local error_fields = Ct(Cg(digit ^ 1 / tonumber, "tid") * ": " * connection ^ -1)

M.nginx_error_grammar = Ct(
    Cg(error_time, "Timestamp") * " [" * Cg(levels, "Severity") * "] "
    * Cg(digit ^ 1 / tonumber, "Pid") * "#" * Cg(error_fields, "Fields")
    * Cg(C(P(1) ^ 0), "Payload")
)

return lazy.once(M)

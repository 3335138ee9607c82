--[=[
# syslog

Builds grammars for syslog lines from the very template of rsyslog's configuration.

| name | result |
|---|---|
| `build_rsyslog_grammar(template)` | a pattern whose capture is a table with a key for each property of the template; a set of these properties |
| `severity`, `facility` | patterns for the words, as in `warning` and `local0`, that capture the number |

All of it is made when it is first asked for, so `pairs` does not meet what was not. The keys are the names of the
properties in lower case:

| property | value |
|---|---|
| `msg`, `rawmsg` | text; `rawmsg` is the rest of the line |
| `hostname`, `source`, `fromhost`, `fromhost-ip` | text |
| `syslogtag` | `{programname = …, pid = …}`; the number may be missing |
| `programname`, `app-name`, `procid`, `msgid`, `protocol-version`, `inputname`, `iut` | text |
| `pri` | `{facility = …, severity = …}` |
| `pri-text`, `syslogfacility`, `syslogfacility-text` | number of the facility |
| `syslogseverity`, `syslogseverity-text`, `syslogpriority`, `syslogpriority-text` | number of the severity |
| `timestamp`, `timegenerated` | nanoseconds; `timereported` is another name for `timestamp` |
| `timestamp-subseconds`, `timegenerated-subseconds` | number, with the option `date-subseconds` |
| `structured-data` | `{id = …, _name = value, …}`; a value that occurs several times, in several elements, is an array |
| `$now`, `$year`, `$month`, `$day`, `$hour`, `$hhour`, `$qhour`, `$minute` | text |

Times have the format that the options `date-rfc3164` (the default), `date-rfc3339`, `date-mysql`, `date-pgsql` and
`date-unixtimestamp` tell. White space in a template matches one character of white space, other text matches itself. A
`msg` ends before the character in front of it, as in `"%msg%"`; after white space or another property it ends with the
line. A property with the option `sp-if-no-1st-sp` matches the spaces in front of the message.

## Example

    local syslog = require "syslog"
    local grammar = syslog.build_rsyslog_grammar("<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag% %msg%")
    local t = grammar:match("<165>2014-02-10T12:58:59Z host app[9]: hi there")
    -- t.pri.facility == 20, t.pri.severity == 5, t.syslogtag.programname == "app", t.msg == "hi there"
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cc, Cg, Cs, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Cs, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, graph, space = lpeg.alnum, lpeg.digit, lpeg.graph, lpeg.space

local M = {}

lazy.entries(M, {severity = "syslog_words", facility = "syslog_words"})

local digit2 = digit * digit

--[[ Values of properties -------------------------------------------------------------------------------------------]]

local function split_priority(text)
    local priority = tonumber(text)
    if not priority then
        return {}
    end
    return {facility = (priority - priority % 8) / 8, severity = priority % 8}
end

--- Up to `limit` printable characters, or a dash.
local function printable(limit)
    return C(graph * graph ^ -(limit - 1))
end

local hostname = printable(255)
local programname = C((graph - S":[") ^ 1)
local pid = P"[" * (Cg(digit ^ 1 / tonumber, "pid") * "]" + (1 - (P"]" + space)) ^ 0 * "]")
local syslogtag = Ct(Cg(programname, "programname") * pid ^ -1) * P":" ^ -1

local function facility()
    return M.facility
end

local function severity()
    return M.severity
end

local function priority_text()
    return M.facility * "." * M.severity / 1 * (P"<" * digit ^ 1 * ">") ^ -1
end

--- Sets a key; with its second value it becomes an array.
local function add_value(t, key, value)
    local known = t[key]
    if known == nil then
        t[key] = value
    elseif type(known) == "table" then
        known[#known + 1] = value
    else
        t[key] = {known, value}
    end
end

local function merge_elements(...)
    local merged = {}
    for i = 1, select("#", ...) do
        local element = select(i, ...)
        add_value(merged, "id", element.id)
        for _, parameter in ipairs(element) do
            add_value(merged, "_" .. parameter[1], parameter[2])
        end
    end
    return merged
end

local function no_elements()
    return {}
end

--- Structured data: [id name="value" …][id …] or a dash. Inside of values a backslash escapes quotes, brackets and
--- itself.
local function structured_data()
    local name = C((graph - S'=]"') ^ 1)
    local value = P'"' * Cs((P"\\" * C(S'"\\]') / "%1" + (1 - P'"')) ^ 0) * '"'
    local parameter = P" " ^ 1 * Ct(name * "=" * value)
    local element = P"[" * Ct(Cg(name, "id") * parameter ^ 0) * P" " ^ 0 * "]"
    return element ^ 1 / merge_elements + P"-" / no_elements
end

--[[ Times ----------------------------------------------------------------------------------------------------------]]

local TIMES = {
    ["date-mysql"] = "mysql_timestamp",
    ["date-pgsql"] = "pgsql_timestamp",
    ["date-rfc3339"] = "rfc3339",
}

--- The pattern for a time under the key `name`, in the format that the options tell.
local function time(name, options)
    if options["date-subseconds"] then
        return Cg(digit ^ 1 / tonumber, name .. "-subseconds")
    elseif options["date-unixtimestamp"] then
        return Cg(digit ^ 1 / date_time.seconds_to_ns, name)
    end
    local grammar = "rfc3164_timestamp"
    for option, other in pairs(TIMES) do
        if options[option] then
            grammar = other
        end
    end
    return Cg(date_time.as_ns(date_time[grammar]), name)
end

--[[ Properties -----------------------------------------------------------------------------------------------------]]

local facility_number = digit ^ -3 / tonumber
local severity_number = digit / tonumber

-- Patterns, and functions that make larger ones.
local PROPERTIES = {
    rawmsg = C(P(1) ^ 0),
    hostname = hostname,
    source = hostname,
    fromhost = hostname,
    ["fromhost-ip"] = function()
        local ip = lazy.load "ip_address_grammars"
        return C(ip.v4 + ip.v6)
    end,
    syslogtag = syslogtag,
    programname = programname,
    pri = digit ^ -3 / split_priority,
    ["pri-text"] = priority_text,
    iut = C(digit ^ 1),
    syslogfacility = facility_number,
    ["syslogfacility-text"] = facility,
    syslogseverity = severity_number,
    ["syslogseverity-text"] = severity,
    syslogpriority = severity_number,
    ["syslogpriority-text"] = severity,
    ["protocol-version"] = C(digit ^ 1),
    ["structured-data"] = structured_data,
    ["app-name"] = printable(48),
    procid = printable(128),
    msgid = printable(32),
    inputname = C(graph ^ 1),
    ["$now"] = C(digit2 * digit2 * "-" * digit2 * "-" * digit2),
    ["$year"] = C(digit2 * digit2),
    ["$month"] = C(P"0" * R"19" + P"1" * R"02"),
    ["$day"] = C(P"0" * R"19" + R"12" * digit + P"3" * R"01"),
    ["$hour"] = C(R"01" * digit + P"2" * R"03"),
    ["$hhour"] = C(P"0" ^ -1 * R"01"),
    ["$qhour"] = C(P"0" ^ -1 * R"03"),
    ["$minute"] = C(R"05" * digit),
}

--- The pattern for a property, `last` being the character that a message ends before.
local function property(name, options, last)
    if options["sp-if-no-1st-sp"] then
        return P" " ^ 1
    elseif name == "msg" then
        return Cg(C((1 - P(last)) ^ 0), "msg")
    elseif name == "$bom" then
        return P"\239\187\191"
    elseif name == "timereported" then
        return time("timestamp", options)
    elseif name == "timestamp" or name == "timegenerated" then
        return time(name, options)
    end
    local value = PROPERTIES[name]
    if not value then
        error("invalid rsyslog property: '" .. name .. "'", 0)
    elseif type(value) == "function" then
        value = value()
    end
    return Cg(value, name)
end

--[[ Templates ------------------------------------------------------------------------------------------------------]]

local function property_part(name, options)
    local part = {property = string.lower(name), options = {}}
    for option in string.gmatch(string.lower(options), "[^,]+") do
        part.options[option] = true
    end
    return part
end

local function literal_part(text)
    return {pattern = P(text), last = string.sub(text, -1)}
end

local function space_part()
    return {pattern = space, last = "\n"}
end

-- The line may have lost its newline to a splitter.
local function newline_part()
    return {pattern = P"\n" + -P(1), last = "\n"}
end

local ESCAPES = {t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v"}

local function unescape(letter)
    return ESCAPES[letter] or letter
end

local function octal(text)
    local code = tonumber(text, 8)
    if code > 255 then
        error("could not parse the rsyslog template", 0)
    end
    return string.char(code)
end

--- What turns a template into its parts.
local function template_grammar()
    local octal_digit = R"07"
    local newline = P"\\n" + P"\n"
    local escape = P"\\" * C(octal_digit * octal_digit * octal_digit) / octal + P"\\" * C(S"tr\"'\\%abfv") / unescape
    local literal = Cs((escape + (1 - (S"%\\" + space))) ^ 1)

    local property_name = C((alnum + S"-$") ^ 1)
    local position = (1 - S":%") ^ 0
    local options = C((1 - P"%") ^ 0)
    local range_and_options = P":" * position * (P":" * position) ^ -1 * (P":" * options) ^ -1
    local placeholder = P"%" * property_name * range_and_options ^ -1 * "%"

    return Ct((
        placeholder / function(name, listed) return property_part(name, listed or "") end
        + newline / newline_part
        + space / space_part
        + literal / literal_part
    ) ^ 1) * -1
end

--- The pattern for lines that rsyslog writes with the given template, and a set of the properties in it.
function M.build_rsyslog_grammar(template)
    local parts = template_grammar():match(template or "")
    if not parts then
        error("could not parse the rsyslog template", 0)
    end
    local grammar, last = P(true), "\n"
    local properties = {}
    for _, part in ipairs(parts) do
        if part.property then
            properties[part.property] = true
            grammar = grammar * property(part.property, part.options, last)
            last = "\n"
        else
            grammar = grammar * part.pattern
            last = part.last
        end
    end
    return Ct(grammar), properties
end

return M

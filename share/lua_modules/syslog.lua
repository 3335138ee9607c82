--[=[
# syslog

Builds grammars for syslog lines from the very template of rsyslog's configuration.

| name | result |
|---|---|
| `build_rsyslog_grammar(template)` | a pattern whose capture is a table with a key for each property of the template |
| `severity`, `facility` | patterns for the words, as in `warning` and `local0`, that capture the number |

The keys are the names of the properties in lower case:

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
local ip = require "ip_address"
local lpeg = require "lpeg"
local math = require "math"
local string = require "string"

local P, R, S, C, Cc, Cg, Cs, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Cs, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, graph, space = lpeg.alnum, lpeg.digit, lpeg.graph, lpeg.space

local M = {}

local digit2 = digit * digit

--[[ Words ----------------------------------------------------------------------------------------------------------]]

--- A choice among words in lower or upper case, each with its number. Where one word starts with another, the longer
--- comes first.
local function words(list)
    local choice = P(false)
    for _, entry in ipairs(list) do
        choice = choice + (P(entry[1]) + string.upper(entry[1])) * Cc(entry[2])
    end
    return choice
end

M.severity = words{
    {"debug", 7}, {"info", 6}, {"notice", 5}, {"warning", 4}, {"warn", 4}, {"error", 3}, {"err", 3}, {"crit", 2},
    {"alert", 1},
    {"emerg", 0}, {"panic", 0},
}

M.facility = words{
    {"kern", 0}, {"user", 1}, {"mail", 2}, {"daemon", 3}, {"authpriv", 10}, {"auth", 4}, {"security", 4},
    {"syslog", 5}, {"lpr", 6},
    {"news", 7}, {"uucp", 8}, {"cron", 9}, {"ftp", 11}, {"ntp", 12}, {"audit", 13}, {"alert", 14}, {"clock", 15},
    {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22},
    {"local7", 23},
}

--[[ Values of properties -------------------------------------------------------------------------------------------]]

local function split_priority(text)
    local priority = tonumber(text)
    if not priority then
        return {}
    end
    return {facility = math.floor(priority / 8), severity = priority % 8}
end

--- Up to `limit` printable characters, or a dash.
local function printable(limit)
    return C(graph * graph ^ -(limit - 1))
end

local hostname = printable(255)
local programname = C((graph - S":[") ^ 1)
local pid = P"[" * (Cg(digit ^ 1 / tonumber, "pid") * "]" + (1 - (P"]" + space)) ^ 0 * "]")
local syslogtag = Ct(Cg(programname, "programname") * pid ^ -1) * P":" ^ -1
local priority_text = M.facility * "." * M.severity / 1 * (P"<" * digit ^ 1 * ">") ^ -1

-- Structured data: [id name="value" …][id …] or a dash. Inside of values a backslash escapes quotes, brackets and
-- itself.
local data_name = C((graph - S'=]"') ^ 1)
local data_value = P'"' * Cs((P"\\" * C(S'"\\]') / "%1" + (1 - P'"')) ^ 0) * '"'
local data_parameter = P" " ^ 1 * Ct(data_name * "=" * data_value)
local data_element = P"[" * Ct(Cg(data_name, "id") * data_parameter ^ 0) * P" " ^ 0 * "]"

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

local structured_data = data_element ^ 1 / merge_elements + P"-" / no_elements

--[[ Times ----------------------------------------------------------------------------------------------------------]]

local unix_timestamp = digit ^ 1 / date_time.seconds_to_ns
local subseconds = digit ^ 1 / tonumber

local TIMES = {
    ["date-mysql"] = date_time.as_ns(date_time.mysql_timestamp),
    ["date-pgsql"] = date_time.as_ns(date_time.pgsql_timestamp),
    ["date-rfc3164"] = date_time.as_ns(date_time.rfc3164_timestamp),
    ["date-rfc3339"] = date_time.as_ns(date_time.rfc3339),
    ["date-unixtimestamp"] = unix_timestamp,
}

--- The pattern for a time under the key `name`, in the format that the options tell.
local function time(name, options)
    if options["date-subseconds"] then
        return Cg(subseconds, name .. "-subseconds")
    end
    for option, pattern in pairs(TIMES) do
        if options[option] then
            return Cg(pattern, name)
        end
    end
    return Cg(TIMES["date-rfc3164"], name)
end

--[[ Properties -----------------------------------------------------------------------------------------------------]]

local facility_number = digit ^ -3 / tonumber
local severity_number = digit / tonumber

local PROPERTIES = {
    rawmsg = C(P(1) ^ 0),
    hostname = hostname,
    source = hostname,
    fromhost = hostname,
    ["fromhost-ip"] = C(ip.v4 + ip.v6),
    syslogtag = syslogtag,
    programname = programname,
    pri = digit ^ -3 / split_priority,
    ["pri-text"] = priority_text,
    iut = C(digit ^ 1),
    syslogfacility = facility_number,
    ["syslogfacility-text"] = M.facility,
    syslogseverity = severity_number,
    ["syslogseverity-text"] = M.severity,
    syslogpriority = severity_number,
    ["syslogpriority-text"] = M.severity,
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

local octal_digit = R"07"
local newline = P"\\n" + P"\n"
local escape = P"\\" * C(octal_digit * octal_digit * octal_digit) / octal + P"\\" * C(S"tr\"'\\%abfv") / unescape
local literal = Cs((escape + (1 - (S"%\\" + space))) ^ 1)

local property_name = C((alnum + S"-$") ^ 1)
local position = (1 - S":%") ^ 0
local options = C((1 - P"%") ^ 0)
local range_and_options = P":" * position * (P":" * position) ^ -1 * (P":" * options) ^ -1
local placeholder = P"%" * property_name * range_and_options ^ -1 * "%"

local template_grammar = Ct((
    placeholder / function(name, listed) return property_part(name, listed or "") end
    + newline / newline_part
    + space / space_part
    + literal / literal_part
) ^ 1) * -1

--- The pattern for lines that rsyslog writes with the given template, and a set of the properties in it.
function M.build_rsyslog_grammar(template)
    local parts = template_grammar:match(template or "")
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

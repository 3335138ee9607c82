--[=[
# rsyslog.lua

Decodes lines of syslog with the very template of rsyslog's configuration. A line that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `template` | required | the template that rsyslog writes the lines with |
| `type` | none | `Type` of the messages; without it they keep the type of the incoming message |
| `hostname_keep` | `false` | keep the `Hostname` of the incoming message; the one of the line is dropped |
| `tz` | `UTC` | time zone of times without a zone, handled by the host |

## Message

`Timestamp` is the template's `timestamp` and `Payload` its `msg`. `Severity` comes from `pri` or one of the severity's
properties, `Hostname` from `hostname` or `source`, `Pid` from `syslogtag`. The program is the field `programname`, the
facility the field `syslogfacility`, and all other properties are fields by their names in lower case. Structured data
become the fields `id` and `_<parameter>`.

## Example

    [rsyslog]
    type = "SandboxDecoder"
    filename = "lua_decoders/rsyslog.lua"

        [rsyslog.config]
        type = "syslog"
        template = '%TIMESTAMP% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\n'
        tz = "America/Los_Angeles"

    Feb 10 12:58:58 testhost widget[4322]: test message.

becomes

    :Timestamp: 2014-02-10 20:58:58 +0000 UTC
    :Type: syslog
    :Hostname: testhost
    :Pid: 4322
    :Payload: test message.
    :Fields:
        | name:"programname" type:string value:"widget"
--]=]

local syslog = require "syslog"

local SEVERITIES = {"syslogseverity", "syslogseverity-text", "syslogpriority", "syslogpriority-text"}

local grammar = syslog.build_rsyslog_grammar(read_config("template"))
local hostname_keep = read_config("hostname_keep")
local message = {Type = read_config("type")}

--- Takes the property `name` out of the fields.
local function take(fields, name)
    local value = fields[name]
    fields[name] = nil
    return value
end

local function take_severity(fields)
    local priority = take(fields, "pri")
    if priority then
        fields.syslogfacility = priority.facility
        return priority.severity
    end
    for _, name in ipairs(SEVERITIES) do
        if fields[name] then
            return take(fields, name)
        end
    end
end

local function take_pid(fields)
    local tag = take(fields, "syslogtag")
    if tag then
        fields.programname = tag.programname
        return tag.pid
    end
end

local function take_hostname(fields)
    local name = fields.hostname and "hostname" or "source"
    local hostname = take(fields, name)
    if not hostname_keep then
        return hostname
    end
end

local function spread_structured_data(fields)
    local data = take(fields, "structured-data")
    if data then
        for name, value in pairs(data) do
            fields[name] = value
        end
    end
end

function process_message()
    local fields = grammar:match(read_message("Payload"))
    if not fields then
        return -1
    end
    message.Timestamp = take(fields, "timestamp")
    message.Severity = take_severity(fields)
    message.Pid = take_pid(fields)
    message.Hostname = take_hostname(fields)
    message.Payload = take(fields, "msg")
    spread_structured_data(fields)
    message.Fields = fields

    if not pcall(inject_message, message) then
        return -1
    end
    return 0
end

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

local grammar, has = syslog.build_rsyslog_grammar(read_config("template"))
local hostname_keep = read_config("hostname_keep")
local template = {Type = read_config("type")}

-- Where properties go that are no fields; a property is one of the message's fields otherwise.
local places = {timestamp = "Timestamp", msg = "Payload"}

if has.pri then
    places.pri = function(pri)
        return {Severity = pri.severity, syslogfacility = pri.facility}
    end
else
    for _, name in ipairs(SEVERITIES) do
        if has[name] then
            places[name] = "Severity"
            break
        end
    end
end

if has.syslogtag then
    if has.programname then
        -- The program in the tag goes before the property.
        places.programname = false
        places.syslogtag = function(tag)
            return {Pid = tag.pid, programname = tag.programname}
        end
    else
        places.syslogtag = "Fields"
        places.pid = "Pid"
    end
end

places[has.hostname and "hostname" or "source"] = not hostname_keep and "Hostname"

places["structured-data"] = function(data)
    return data
end

function process_message()
    local ok, matches = pcall(inject_match, grammar, nil, template, places)
    return ok and matches and 0 or -1
end

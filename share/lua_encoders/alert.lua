--[=[
# alert.lua

Writes an alert as a short text for mail and chat. Meant for the alerts that filters send (`Fields[payload_type] ==
'alert'`).

## Configuration

None.

## Example

    [alert]
    type = "SandboxEncoder"
    filename = "lua_encoders/alert.lua"

    [email-alert]
    type = "SmtpOutput"
    message_matcher = "Type == 'heka.sandbox-output' && Fields[payload_type] == 'alert'"
    encoder = "alert"

writes

    Timestamp: 2014-05-14T14:20:18Z
    Hostname: ip-10-226-204-51
    Plugin: FxaBrowserIdHTTPStatus
    Alert: HTTP Status - algorithm: roc col: 1 msg: detected anomaly, standard deviation exceeds 1.5
--]=]

local math = require "math"
local os = require "os"

function process_message()
    local seconds = math.floor(read_message("Timestamp") / 1e9)
    inject_payload("txt", "alert",
        "Timestamp: ", os.date("!%Y-%m-%dT%H:%M:%SZ", seconds),
        "\nHostname: ", read_message("Hostname"),
        "\nPlugin: ", read_message("Logger"),
        "\nAlert: ", read_message("Payload"), "\n")
    return 0
end

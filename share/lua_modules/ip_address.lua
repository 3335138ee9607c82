--[=[
# ip_address

Grammars for IP addresses in text. They capture nothing, match as much as they can from the start, and know neither zone
identifiers nor prefix lengths. They are made when they are first asked for; `pairs` does not meet them before.

| pattern | matches |
|---|---|
| `v4` | four parts from 0 to 255, without leading zeros |
| `v6` | all forms of RFC 3986, `::` and an embedded IPv4 address included |

## Example

    local ip = require "ip_address"
    ip.v4:match("192.168.1.1 and more")  -- 12, the position after the address
    ip.v6:match("2001:db8::1")           -- 12
--]=]

local lazy = require "lazy"

return lazy.entries({}, {v4 = "ip_address_grammars", v6 = "ip_address_grammars"})

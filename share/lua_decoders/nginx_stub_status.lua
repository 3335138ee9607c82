--[=[
# nginx_stub_status.lua

Decodes the page of nginx's module `stub_status`, as an HttpInput reads it. A text that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `type` | `nginx_stub_status` | `Type` of the messages |
| `payload_keep` | `false` | keep the text as `Payload` |

## Example

    [nginx_stub_status]
    type = "HttpInput"
    url = "http://localhost/nginx_status"
    ticker_interval = 5
    decoder = "nginx_stub_status_decoder"

    [nginx_stub_status_decoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/nginx_stub_status.lua"

    Active connections: 291
    server accepts handled requests
     16630948 16630948 31070465
    Reading: 6 Writing: 179 Waiting: 106

becomes

    :Type: nginx_stub_status
    :Fields:
        | name:"connections" type:double value:291
        | name:"accepts" type:double value:16630948
        | name:"handled" type:double value:16630948
        | name:"requests" type:double value:31070465
        | name:"reading" type:double value:6
        | name:"writing" type:double value:179
        | name:"waiting" type:double value:106
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local Cg, Ct = lpeg.Cg, lpeg.Ct
local space = lpeg.space

local function number(name)
    return space ^ 0 * Cg(lpeg.digit ^ 1 / tonumber, name) * space ^ 0
end

local grammar = Ct(
    lpeg.P"Active connections:" * number("connections")
    * "server accepts handled requests" * number("accepts") * number("handled") * number("requests")
    * "Reading:" * number("reading") * "Writing:" * number("writing") * "Waiting:" * number("waiting")
) * -1

local template = {Type = read_config("type") or "nginx_stub_status"}

-- No capture is a header.
process_message = match_decoder(grammar, template, {}, read_config("payload_keep"))

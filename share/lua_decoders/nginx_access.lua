--[=[
# nginx_access.lua

Decodes the access log of nginx with the very `log_format` of nginx's configuration. A line that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `log_format` | required | the value of nginx's `log_format` directive |
| `type` | none | `Type` of the messages; without it they keep the type of the incoming message |
| `user_agent_transform` | `false` | replace `http_user_agent` by `user_agent_browser`, `user_agent_version` and `user_agent_os` |
| `user_agent_keep` | `false` | with the transformation, keep `http_user_agent` all the same |
| `user_agent_conditional` | `false` | with the transformation, keep `http_user_agent` when the browser is not known |
| `payload_keep` | `false` | keep the line as `Payload` |

## Message

`Timestamp` is the time of the line. Every variable of the format becomes a field of its name; see the module
`common_log_format` for the types and representations.

## Example

    [nginx_access]
    type = "SandboxDecoder"
    filename = "lua_decoders/nginx_access.lua"

        [nginx_access.config]
        type = "nginx.access"
        user_agent_transform = true
        log_format = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

    127.0.0.1 - - [10/Feb/2014:08:46:41 -0800] "GET / HTTP/1.1" 304 0 "-" "Mozilla/5.0 (X11; Linux) Firefox/26.0"

becomes

    :Timestamp: 2014-02-10 16:46:41 +0000 UTC
    :Type: nginx.access
    :Fields:
        | name:"remote_addr" type:string value:"127.0.0.1" representation:"ipv4"
        | name:"remote_user" type:string value:"-"
        | name:"request" type:string value:"GET / HTTP/1.1"
        | name:"status" type:double value:304
        | name:"body_bytes_sent" type:double value:0 representation:"B"
        | name:"http_referer" type:string value:"-"
        | name:"user_agent_browser" type:string value:"Firefox"
        | name:"user_agent_version" type:double value:26
        | name:"user_agent_os" type:string value:"Linux"
--]=]

local lazy = require "lazy"

local access_log = lazy.load "access_log"
local clf = require "common_log_format"

process_message = access_log.decoder(clf.build_nginx_grammar(read_config("log_format")))

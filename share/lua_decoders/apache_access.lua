--[=[
# apache_access.lua

Decodes the access log of Apache with the very `LogFormat` of Apache's configuration. A line that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `log_format` | required | the value of Apache's `LogFormat` directive |
| `type` | none | `Type` of the messages; without it they keep the type of the incoming message |
| `user_agent_transform` | `false` | replace `http_user_agent` by `user_agent_browser`, `user_agent_version` and `user_agent_os` |
| `user_agent_keep` | `false` | with the transformation, keep `http_user_agent` all the same |
| `user_agent_conditional` | `false` | with the transformation, keep `http_user_agent` when the browser is not known |
| `payload_keep` | `false` | keep the line as `Payload` |

## Message

`Timestamp` is the time of the line. Every directive of the format becomes a field with a name of nginx's kind: `%h` is
`remote_addr`, `%{Referer}i` is `http_referer`; see the module `common_log_format` for all of them.

## Example

    [apache_access]
    type = "SandboxDecoder"
    filename = "lua_decoders/apache_access.lua"

        [apache_access.config]
        type = "apache.access"
        log_format = '%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"'

    192.168.1.5 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://example.com/" "Mozilla/4.08"

becomes

    :Timestamp: 2000-10-10 20:55:36 +0000 UTC
    :Type: apache.access
    :Fields:
        | name:"remote_addr" type:string value:"192.168.1.5" representation:"ipv4"
        | name:"remote_user" type:string value:"frank"
        | name:"request" type:string value:"GET /a.gif HTTP/1.0"
        | name:"status" type:double value:200
        | name:"response_length" type:double value:2326 representation:"B"
        | name:"http_referer" type:string value:"http://example.com/"
        | name:"http_user_agent" type:string value:"Mozilla/4.08"
--]=]

local lazy = require "lazy"

local access_log = lazy.load "access_log"
local clf = require "common_log_format"

process_message = access_log.decoder(clf.build_apache_grammar(read_config("log_format")))

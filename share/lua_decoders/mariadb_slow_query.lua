--[=[
# mariadb_slow_query.lua

Decodes the slow query log of MariaDB. A record that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `truncate_sql` | none | bytes of the SQL to keep; `...` follows where something was cut off. A negative number cuts from the end |

## Message

The type is `mariadb.slow-query`, `Timestamp` the time that the record sets, `Hostname` the address of the client, and
`Payload` the SQL. The fields that tell of scans and sorts are there when the log has them.

## Example

    [mariadb-slow-query-splitter]
    type = "RegexSplitter"
    delimiter = '\n(# User@Host:)'
    delimiter_eol = false

    [mariadb-slow-query-decoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/mariadb_slow_query.lua"

        [mariadb-slow-query-decoder.config]
        truncate_sql = 64

    # User@Host: syncrw[syncrw] @  [127.0.0.1]
    # Thread_id: 110804  Schema: weave0  QC_hit: No
    # Query_time: 1.178108  Lock_time: 0.000053  Rows_sent: 198  Rows_examined: 198
    SET timestamp=1399500744;
    SELECT * FROM widget WHERE id = 10;

becomes

    :Timestamp: 2014-05-07 22:12:24 +0000 UTC
    :Type: mariadb.slow-query
    :Hostname: 127.0.0.1
    :Payload: SELECT * FROM widget WHERE id = 10;
    :Fields:
        | name:"Thread_id" type:double value:110804
        | name:"Schema" type:string value:"weave0"
        | name:"QC_hit" type:string value:"No"
        | name:"Query_time" type:double value:1.178108 representation:"s"
        | name:"Lock_time" type:double value:5.3e-05 representation:"s"
        | name:"Rows_sent" type:double value:198
        | name:"Rows_examined" type:double value:198
--]=]

local mysql = require "mysql"
local slow_query = require "slow_query"

process_message = slow_query.decoder(mysql.mariadb_slow_query_grammar, "mariadb.slow-query")

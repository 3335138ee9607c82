--[=[
# mysql_slow_query.lua

Decodes the slow query log of MySQL. A record that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `truncate_sql` | none | bytes of the SQL to keep; `...` follows where something was cut off. A negative number cuts from the end |

## Message

The type is `mysql.slow-query`, `Timestamp` the time that the record sets, `Hostname` the address of the client, and
`Payload` the SQL.

## Example

The records begin at a line of their own, so they need a splitter:

    [MysqlSlowQueries]
    type = "LogstreamerInput"
    log_directory = "/var/log/mysql"
    file_match = 'mysql-slow\.log'
    splitter = "mysql-slow-query-splitter"
    decoder = "mysql-slow-query-decoder"

    [mysql-slow-query-splitter]
    type = "RegexSplitter"
    delimiter = '\n(# User@Host:)'
    delimiter_eol = false

    [mysql-slow-query-decoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/mysql_slow_query.lua"

        [mysql-slow-query-decoder.config]
        truncate_sql = 64

    # User@Host: syncrw[syncrw] @  [127.0.0.1]
    # Query_time: 2.964652  Lock_time: 0.000050 Rows_sent: 251  Rows_examined: 9773
    use widget;
    SET last_insert_id=999,insert_id=1000,timestamp=1399500744;
    /* [queryName=FIND_ITEMS] */ SELECT * FROM widget WHERE id = 10;

becomes

    :Timestamp: 2014-05-07 22:12:24 +0000 UTC
    :Type: mysql.slow-query
    :Hostname: 127.0.0.1
    :Payload: /* [queryName=FIND_ITEMS] */ SELECT * FROM widget WHERE id = 10;
    :Fields:
        | name:"Query_time" type:double value:2.964652 representation:"s"
        | name:"Lock_time" type:double value:5e-05 representation:"s"
        | name:"Rows_sent" type:double value:251
        | name:"Rows_examined" type:double value:9773
--]=]

local mysql = require "mysql"
local slow_query = require "slow_query"

process_message = slow_query.decoder(mysql.slow_query_grammar, "mysql.slow-query")

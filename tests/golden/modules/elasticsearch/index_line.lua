local check = require "check"
local values = {Type = "TEST", Logger = "GoSpec", ["Fields[foo]"] = "bar", ["Fields[double]"] = 99.9}
function read_message(variable)
    return values[variable]
end

local line = require("elasticsearch").bulkapi_index_json

check.equal(line("index", "type_name", "id"), '{"index":{"_index":"index","_type":"type_name","_id":"id"}}')
check.equal(line("index-%{Logger}", "%{Type}"), '{"index":{"_index":"index-GoSpec","_type":"TEST"}}')
check.equal(line("%{foo}-%{Payload}-%{double}-%{missing}"), '{"index":{"_index":"bar-%{Payload}-99.9-%{missing}"}}')
check.equal(line("%{%b %d, %Y}", nil, nil, 512345678900000000), '{"index":{"_index":"Mar 27, 1986"}}')
check.equal(line("a/b"), [[{"index":{"_index":"a\/b"}}]])
check.equal(line(nil, nil, nil), '{"index":{}}')

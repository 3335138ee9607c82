-- Decodes a document of 1 KB over and over, as the script of an input and with reference Lua alike.
local cjson = require "cjson"

local rounds = tonumber(read_config and read_config("rounds") or (...))
local document = [[
{"timestamp":"2015-03-09T23:30:01.123456Z","level":"info","logger":"shop.checkout","host":"web-017.example.com",
"pid":18231,"thread":"worker-12","message":"order placed and payment authorised without further questions asked",
"request":{"id":"7f1c2b9e-55d0-4a3e-9a55-0c4f5d1f2b11","method":"POST","path":"/api/v2/orders","query":"",
"status":201,"bytes":1532,"duration_ms":48.25,"remote":"203.0.113.77","agent":"Mozilla/5.0 (X11; Linux x86_64)",
"headers":{"accept":"application/json","content-type":"application/json","x-forwarded-for":"198.51.100.4"}},
"user":{"id":9912873,"name":"mara","plan":"business","beta":true,"groups":["admins","billing","eu-west"]},
"items":[{"sku":"A-1001","count":2,"price":19.99},{"sku":"B-2002","count":1,"price":249.0},
{"sku":"C-3003","count":12,"price":0.85}],"total":299.18,"currency":"EUR","coupon":null,"retry":false,
"trace":{"span":"b7ad6b7169203331","parent":"00f067aa0ba902b7","sampled":true,"tags":["paid","new","web"]}}]]
assert(#document >= 1000 and #document <= 1100 and cjson.decode(document).items[3].count == 12)

function process_message()
    local decode = cjson.decode
    for _ = 1, rounds do
        decode(document)
    end
    return 0
end

if not read_config then
    process_message()
end

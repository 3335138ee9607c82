--[=[
# elasticsearch

Helps to write for the bulk interface of ElasticSearch.

| function | result |
|---|---|
| `bulkapi_index_json(index, type_name, id, ns)` | the line that says where the document of the next line belongs |

Arguments that are nil are left out. Placeholders in the others are replaced as the module `msg_interpolate` does; `ns`
is the time for their formats, nil stands for now.

## Example

    local elasticsearch = require "elasticsearch"
    elasticsearch.bulkapi_index_json("index-%{Logger}", "%{Type}")
    -- {"index":{"_index":"index-GoSpec","_type":"TEST"}}
--]=]

local cjson = require "cjson"
local interpolate = require("msg_interpolate").interpolate_from_msg

local M = {}

function M.bulkapi_index_json(index, type_name, id, ns)
    local seconds = ns and ns / 1e9

    local function interpolated(text)
        return text and (interpolate(text, seconds))
    end

    return cjson.encode({index = {
        _index = interpolated(index),
        _type = interpolated(type_name),
        _id = interpolated(id),
    }})
end

return M

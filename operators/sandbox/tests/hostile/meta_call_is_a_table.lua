-- expect: process_message() *attempt to call local 't' (a table value)
function process_message()
 local t = setmetatable({}, {__call = {}})
 t()
 return 0
end

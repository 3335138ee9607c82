-- expect: process_message() *bad argument #1 to 'add_to_payload' (unsupported type)
function process_message()
 add_to_payload(tostring(setmetatable({}, {__tostring = function() return {} end})))
 return 0
end

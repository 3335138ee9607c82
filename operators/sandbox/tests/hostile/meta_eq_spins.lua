-- expect: process_message() *instruction_limit exceeded
function process_message()
 local m = {__eq = function() while true do end end}
 local r = setmetatable({}, m) == setmetatable({}, m)
 return 0
end

-- expect: process_message() *instruction_limit exceeded
function process_message()
 local t = setmetatable({}, {__index = function() while true do end end})
 local r = t.x
 return 0
end

-- expect: process_message() *stack overflow
local t = setmetatable({}, {__tostring = function(t) return tostring(t) end})
function process_message()
 tostring(t)
 return 0
end

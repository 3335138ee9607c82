-- expect: process_message() *stack overflow
function process_message()
 local t = setmetatable({}, {__index = function(t, k) return t[k] end})
 local r = t.x
 return 0
end

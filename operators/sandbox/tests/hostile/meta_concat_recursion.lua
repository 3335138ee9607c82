-- expect: process_message() *stack overflow
function process_message()
 local t = setmetatable({}, {__concat = function(a, b) return a .. b end})
 local r = t .. "x"
 return 0
end

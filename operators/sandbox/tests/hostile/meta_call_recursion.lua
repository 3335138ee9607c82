-- expect: process_message() *stack overflow
function process_message()
 local t = {}
 setmetatable(t, {__call = function(self) return self() + 1 end})
 t()
 return 0
end

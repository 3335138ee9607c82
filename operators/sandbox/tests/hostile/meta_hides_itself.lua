-- expect: process_message() *cannot change a protected metatable
function process_message()
 local t = setmetatable({}, {__metatable = 1})
 setmetatable(t, {})
 return 0
end

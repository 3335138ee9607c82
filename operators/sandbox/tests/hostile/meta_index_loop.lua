-- expect: process_message() *loop in gettable
function process_message()
 local a, b = {}, {}
 setmetatable(a, {__index = b}) setmetatable(b, {__index = a})
 local r = a.x
 return 0
end

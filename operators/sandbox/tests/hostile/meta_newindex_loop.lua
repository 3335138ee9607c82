-- expect: process_message() *loop in settable
function process_message()
 local a, b = {}, {}
 setmetatable(a, {__newindex = b}) setmetatable(b, {__newindex = a})
 a.x = 1
 return 0
end

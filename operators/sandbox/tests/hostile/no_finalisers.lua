-- expect: process_message() *attempt to call global 'newproxy' (a nil value)
function process_message()
 getmetatable(newproxy(true)).__gc = function() while true do end end
 return 0
end

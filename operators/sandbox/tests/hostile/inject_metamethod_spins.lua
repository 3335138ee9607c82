-- expect: process_message() *instruction_limit exceeded
function process_message()
 inject_message(setmetatable({}, {__index = function() while true do end end}))
 return 0
end

-- expect: process_message() *instruction_limit exceeded
function process_message()
 tostring(setmetatable({}, {__tostring = function() while true do end end}))
 return 0
end

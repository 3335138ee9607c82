-- expect: process_message() function was not found
-- calls: 2
function process_message()
 setfenv(0, setmetatable({}, {__index = function() while true do end end}))
 return 0
end

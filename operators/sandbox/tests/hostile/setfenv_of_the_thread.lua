-- expect: process_message() function was not found
-- calls: 2
local n = 0
function process_message()
 setfenv(0, {})
 return 0
end

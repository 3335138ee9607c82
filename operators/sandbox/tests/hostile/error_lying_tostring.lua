-- expect: process_message() (error object is a table value)
function process_message()
 error(setmetatable({}, {__tostring = function() while true do end end}))
 return 0
end

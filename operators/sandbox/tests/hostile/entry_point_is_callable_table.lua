-- expect: process_message() function was not found
process_message = setmetatable({}, {__call = function() return 0 end})

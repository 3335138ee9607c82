-- expect: process_message() instruction_limit exceeded
function process_message()
 while true do pcall(function() while true do end end) end
 return 0
end

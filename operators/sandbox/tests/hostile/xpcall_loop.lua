-- expect: process_message() instruction_limit exceeded
function process_message()
 while true do xpcall(function() while true do end end, function() end) end
 return 0
end

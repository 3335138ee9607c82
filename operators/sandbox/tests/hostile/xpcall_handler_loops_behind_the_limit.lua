-- expect: process_message() instruction_limit exceeded
function process_message()
 xpcall(function() while true do end end, function() while true do end end)
 return 0
end

-- expect: process_message() instruction_limit exceeded
function process_message()
 xpcall(function() error("x") end, function() while true do end end)
 return 0
end

-- expect: process_message() *instruction_limit exceeded
function process_message()
 pcall(function() while true do end end)
 local n = 0
 n = n + 1
 return 0
end

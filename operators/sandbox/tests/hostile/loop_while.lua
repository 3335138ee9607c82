-- expect: process_message() instruction_limit exceeded
function process_message()
 while true do end
 return 0
end

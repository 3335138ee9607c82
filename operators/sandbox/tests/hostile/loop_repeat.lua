-- expect: process_message() instruction_limit exceeded
function process_message()
 repeat until false
 return 0
end

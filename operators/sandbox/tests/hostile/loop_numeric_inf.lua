-- expect: process_message() instruction_limit exceeded
function process_message()
 for i = 1, 1/0 do end
 return 0
end

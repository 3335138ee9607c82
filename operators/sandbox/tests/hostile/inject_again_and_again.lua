-- expect: process_message() *instruction_limit exceeded
function process_message()
 while true do inject_message{Payload = "x"} end
 return 0
end

-- expect: process_message() must return a numeric status code
-- calls: 2
function process_message()
 function process_message() return "x" end
 return 0
end

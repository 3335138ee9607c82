-- expect: process_message() not enough memory
function process_message()
 local s = "x"
 while true do s = s .. s end
 return 0
end

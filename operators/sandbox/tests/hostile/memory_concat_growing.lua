-- expect: process_message() not enough memory
function process_message()
 local s, t = "0123456789", {}
 while true do t[#t + 1] = s .. #t end
 return 0
end

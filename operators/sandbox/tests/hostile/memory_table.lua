-- expect: process_message() not enough memory
function process_message()
 local t = {}
 while true do t[#t + 1] = {} end
 return 0
end

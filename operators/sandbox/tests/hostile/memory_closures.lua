-- expect: process_message() not enough memory
function process_message()
 local t = {}
 while true do local x = #t t[#t + 1] = function() return x end end
 return 0
end

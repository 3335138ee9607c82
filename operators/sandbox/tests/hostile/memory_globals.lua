-- expect: process_message() not enough memory
function process_message()
 local n = 0
 while true do n = n + 1 _G["g" .. n] = {n} end
 return 0
end

-- expect: process_message() not enough memory
function process_message()
 local t, n = {}, 0
 while true do n = n + 1 t["k" .. n] = n end
 return 0
end

-- expect: ok
function process_message()
 for i = 1, 1000 do gcinfo() end
 return 0
end

-- expect: ok
function process_message()
 for i = 1, 0/0 do end
 return 0
end

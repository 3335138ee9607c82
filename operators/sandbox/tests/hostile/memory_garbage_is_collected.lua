-- expect: ok
function process_message()
 for i = 1, 50000 do local t = {i, i, i, {i}} end
 return 0
end

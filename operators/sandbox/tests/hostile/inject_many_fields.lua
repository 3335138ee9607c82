-- expect: process_message() *inject_message() output_limit exceeded
function process_message()
 local t = {}
 for i = 1, 20000 do t[i] = {name = "a", value = i} end
 inject_message{Fields = t}
 return 0
end

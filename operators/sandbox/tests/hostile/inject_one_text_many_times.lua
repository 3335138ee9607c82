-- expect: process_message() *inject_message() output_limit exceeded
require "string"
function process_message()
 local s, t = string.rep("x", 1e6), {}
 for i = 1, 1000 do t[i] = s end
 inject_message{Fields = {a = t}}
 return 0
end

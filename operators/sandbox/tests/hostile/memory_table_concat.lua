-- expect: process_message() not enough memory
require "table" require "string"
function process_message()
 local s, t = string.rep("x", 1e5), {}
 for i = 1, 1000 do t[i] = s end
 local r = table.concat(t)
 return 0
end

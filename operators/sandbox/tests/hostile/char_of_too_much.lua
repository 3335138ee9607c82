-- expect: process_message() *too many results to unpack
require "string"
function process_message()
 local t = {}
 for i = 1, 10000 do t[i] = 65 end
 local r = string.char(unpack(t))
 return 0
end

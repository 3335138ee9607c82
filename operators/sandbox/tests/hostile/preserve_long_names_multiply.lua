-- expect: preserve: data takes more than 256 MiB
-- then: preserve
require "string"
local t = {}
root = {}
root[string.rep("x", 200000)] = t
for i = 1, 2000 do t[i] = {i} end
function process_message()
 
 return 0
end

-- expect: preserve: stack overflow (tables nested too deeply)
-- then: preserve
local t = {}
root = t
for i = 1, 10000 do t.t = {} t = t.t end
function process_message()
 
 return 0
end

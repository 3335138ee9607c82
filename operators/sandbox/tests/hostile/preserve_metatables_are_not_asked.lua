-- expect: ok
-- then: preserve
t = setmetatable({}, {__index = function() while true do end end, __tostring = error})
setmetatable(_G, {__index = function() while true do end end})
function process_message()
 
 return 0
end

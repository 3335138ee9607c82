-- expect: ok
function process_message()
 setmetatable({}, {__gc = function() while true do end end})
 for i = 1, 10000 do local t = {} end
 return 0
end

-- expect: ok
function process_message()
 for i in ipairs(setmetatable({}, {__index = function() return 1 end})) do end
 return 0
end

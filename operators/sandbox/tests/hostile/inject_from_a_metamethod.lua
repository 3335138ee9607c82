-- expect: ok
function process_message()
 inject_message(setmetatable({}, {__index = function(t, k) inject_message{Type = k} return "x" end}))
 return 0
end

-- expect: process_message() function was not found
-- calls: 2
function process_message()
 local g, pairs = _G, pairs
 for k in pairs(g) do g[k] = nil end
 return 0
end

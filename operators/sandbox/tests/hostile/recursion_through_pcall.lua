-- expect: process_message() C stack overflow
local function deep() local ok, why = pcall(deep) if not ok then error(why, 0) end end
function process_message()
 deep()
 return 0
end

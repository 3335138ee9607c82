-- expect: ok
require "circular_buffer"
function process_message()
 local m = getmetatable(circular_buffer.new(10, 1, 60))
 m.__gc = function() while true do end end
 for i = 1, 100 do circular_buffer.new(100, 1, 60) end
 return 0
end

-- expect: timer_event() instruction_limit exceeded
-- entry: timer
function timer_event() while true do pcall(function() while true do end end) end end

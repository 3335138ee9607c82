-- expect: timer_event() not enough memory
-- entry: timer
function timer_event() local t = {} while true do t[#t + 1] = {} end end

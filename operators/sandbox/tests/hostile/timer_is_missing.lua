-- expect: timer_event() function was not found
-- entry: timer
x = 1

-- Counts messages; the count outlives restarts of the daemon, because it is a global variable.

count = 0
local what = read_config("what") or "messages"

function process_message()
    count = count + 1
    return 0
end

function timer_event(ns)
    inject_payload("txt", "count", count, " ", what, " so far")
end

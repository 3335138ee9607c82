local check = require "check"

local sent = {}
function inject_payload(...)
    sent[#sent + 1] = {...}
end

local alert = require "alert"

check.equal(_LAST_ALERT, 0)
check.equal(alert.throttled(0), false, "the time 0")
check.equal(alert.throttled(3600e9), true, "the first hour")
check.equal(alert.throttled(3600e9 + 1), false)

check.equal(alert.send(3601e9, nil), false)
check.equal(alert.send(3601e9, ""), false)
check.equal(alert.send(3601e9, "one"), true)
check.equal(sent, {{"alert", "", "one"}})
check.equal(_LAST_ALERT, 3601e9)

check.equal(alert.queue(3601e9 + 3600e9, "held back"), false)
check.equal(alert.queue(3601e9 + 3600e9 + 1, "two"), true)
check.equal(alert.queue(3601e9 + 3600e9 + 1, "three"), true)
check.equal(alert.queue(3601e9 + 3600e9 + 1, ""), false)
check.equal(alert.send_queue(3601e9 + 3600e9 + 1), true)
check.equal(sent[2], {"alert", "", "two\nthree"})
check.equal(alert.send_queue(9e15), false, "nothing is queued")

alert.set_throttle(10)
check.equal(alert.throttled(_LAST_ALERT + 10), true)
check.equal(alert.throttled(_LAST_ALERT + 11), false)
check.equal(alert.throttled(_LAST_ALERT - 1), true, "a time before the last alert")

check.equal(alert.queue(_LAST_ALERT + 11, "lost"), true)
check.equal(alert.send_queue(_LAST_ALERT + 5), false, "throttled in the meantime")
check.equal(alert.send_queue(_LAST_ALERT + 11), false, "and the queue is empty now")
check.equal(#sent, 2)

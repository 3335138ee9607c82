local check = require "check"
local syslog = require "syslog"

for word, number in pairs{
    debug = 7, info = 6, notice = 5, warning = 4, warn = 4, error = 3, err = 3, crit = 2, alert = 1, emerg = 0, panic = 0,
} do
    check.equal(syslog.severity:match(word), number, word)
    check.equal((syslog.severity * -1):match(word:upper()), number, word)
end
check.equal(syslog.severity:match("loud"), nil)
check.equal((syslog.facility * -1):match("authpriv"), 10)
check.equal((syslog.facility * -1):match("auth"), 4)

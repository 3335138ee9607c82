local check = require "check"
local syslog_message = require "syslog_message"
local pam = syslog_message.get_wildcard_grammar("PAM")

local cases = {
    {"pam_unix(sshd:session): session opened for user root by (uid=0)", {
        pam_module = "pam_unix", pam_service = "sshd", pam_type = "session", pam_action = "session opened", user_name = "root",
        login_name = "", uid = 0}},
    {"pam_unix(sudo:session): session opened for user root(uid=0) by ann(uid=1000)", {
        pam_module = "pam_unix", pam_service = "sudo", pam_type = "session", pam_action = "session opened", user_name = "root",
        login_name = "ann", uid = 1000}},
    {"pam_unix(cron:session): session closed for user ann", {
        pam_module = "pam_unix", pam_service = "cron", pam_type = "session", pam_action = "session closed", user_name = "ann"}},
    {"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root", {
        pam_module = "pam_unix", pam_service = "sshd", pam_type = "auth", pam_action = "authentication failure", logname = "",
        uid = 0, euid = 0, tty = "ssh", ruser = "", rhost = "192.0.2.1", user = "root"}},
    {"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1", {
        pam_module = "pam_unix", pam_service = "sshd", pam_type = "auth", pam_action = "authentication failure", logname = "",
        uid = 0, euid = 0, tty = "ssh", ruser = "", rhost = "192.0.2.1"}},
    {"pam_unix(sshd:auth): check pass; user unknown", {
        pam_module = "pam_unix", pam_service = "sshd", pam_type = "auth", pam_action = "check pass"}},
    {"pam_unix(sshd:auth): check pass; user (x) unknown", {
        pam_module = "pam_unix", pam_service = "sshd", pam_type = "auth", pam_action = "check pass", user_name = "x"}},
    {"something else", nil},
}
for _, case in ipairs(cases) do
    check.equal(pam:match(case[1]), case[2], case[1])
end

check.equal(syslog_message.get_wildcard_grammar("unknown"), nil)
check.equal(syslog_message.get_wildcard_grammar(), {PAM = pam})
check.equal(syslog_message.get_wildcard_grammar{"PAM", "unknown"}, {PAM = pam})
check.equal(syslog_message.get_wildcard_grammar{}, {})

--[=[
# syslog_message

Grammars for the messages that well-known programs send to syslog; they are matched on the text without its header.

| function | result |
|---|---|
| `get_prog_grammar(name)` | the grammar for a program; nil if there is none |
| `get_wildcard_grammar(name)` | the grammar for messages that any program may send: `PAM` |

Without an argument `get_wildcard_grammar` gives a table of all of its grammars, with an array of names a table of
those. Programs: `CRON`, `crontab`, `dhclient`, `dhcpd`, `login`, `groupadd`, `groupdel`, `named`, `puppet-agent`,
`sshd`, `su`, `sudo`, `systemd-logind`, `useradd`.

Each grammar captures one table that fits into the `Fields` of a message. Numbers are numbers; addresses have the
representation `ipv4`, `ipv6` or `hostname`.

## Example

    local syslog_message = require "syslog_message"
    local fields = syslog_message.get_prog_grammar("sshd"):match("Accepted publickey for foo from 192.0.2.1 port 2222 ssh2")
    -- sshd_authmsg == "Accepted", sshd_method == "publickey", remote_user == "foo", remote_addr.value == "192.0.2.1",
    -- remote_port == 2222
--]=]

local ip = require "ip_address"
local lpeg = require "lpeg"

local P, S, C, Cc, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, space, xdigit = lpeg.alnum, lpeg.digit, lpeg.space, lpeg.xdigit

local M = {}

--[[ Building blocks ------------------------------------------------------------------------------------------------]]

local function text(pattern, name)
    return Cg(C(pattern), name)
end

local function number(name)
    return Cg(P"-" ^ -1 * digit ^ 1 * (P"." * digit ^ 1) ^ -1 / tonumber, name)
end

local function constant(value, name)
    return Cg(Cc(value), name)
end

--- All that comes before `stop`, at least one character.
local function before(stop)
    return (1 - P(stop)) ^ 1
end

--- The same, but possibly nothing.
local function maybe_before(stop)
    return (1 - P(stop)) ^ 0
end

local word = (1 - space) ^ 1
local rest = (1 - P"\n") ^ 0
local at_end = space ^ 0 * -1

local function represented(pattern, representation)
    return Ct(Cg(C(pattern), "value") * Cg(Cc(representation), "representation"))
end

local name_character = alnum + S"-._"

local function address(name)
    return Cg(represented(ip.v4 * -name_character, "ipv4")
        + represented(ip.v6 * -name_character, "ipv6")
        + represented(name_character ^ 1, "hostname"), name)
end

--[[ cron -----------------------------------------------------------------------------------------------------------]]

local cron = Ct(
    P"(" * text(before(")"), "cron_username") * ") "
    * text(before(" ("), "cron_event") * " ("
    * text((1 - P")" * at_end) ^ 0, "cron_detail") * ")"
)

--[[ DHCP -----------------------------------------------------------------------------------------------------------]]

local client_sends = text(P"DHCPDISCOVER" + "DHCPREQUEST" + "DHCPDECLINE" + "DHCPRELEASE", "dhcp_type")
    * (P" of " * address("dhcp_client_addr")) ^ -1
    * " on " * text(word, "dhcp_client_interface") * " to " * address("dhcp_server_addr")
    * " port " * number("dhcp_server_port") * (P" interval " * number("dhcp_client_interval_seconds")) ^ -1
local client_receives = text(P"DHCPACK" + "DHCPOFFER" + "DHCPNAK", "dhcp_type")
    * (P" of " * address("dhcp_client_addr")) ^ -1 * " from " * address("dhcp_server_addr")
local client_bound = P"bound to " * address("dhcp_client_addr") * " -- renewal in "
    * number("dhcp_client_renewal_seconds") * " seconds"

local dhclient = Ct(client_sends + client_receives + client_bound)

local hw_addr = text(xdigit ^ 1 * (P":" * xdigit ^ 1) ^ 1, "dhcp_client_hw_addr")
local client_name = (P" (" * text((1 - P")") ^ 1, "dhcp_client_hostname") * ")") ^ -1
local client_addr = address("dhcp_client_addr")
local via = P" via " * text((1 - (space + ":")) ^ 1, "dhcp_source")
    * (P" lease-duration " * number("dhcp_lease_time")) ^ -1
    * (P": " * text(rest, "dhcp_message")) ^ -1

local function dhcp_type(...)
    local choice = P(false)
    for i = 1, select("#", ...) do
        choice = choice + P((select(i, ...)))
    end
    return text(choice, "dhcp_type")
end

local server_receives = dhcp_type("DHCPDISCOVER", "BOOTREQUEST") * " from " * hw_addr * client_name * via
local server_asked = dhcp_type("DHCPREQUEST") * " for " * client_addr * (P" (" * address("dhcp_server_addr") * ")") ^ -1
    * " from " * hw_addr * client_name * via
local server_told = dhcp_type("DHCPRELEASE", "DHCPDECLINE") * " of " * client_addr * " from " * hw_addr * client_name
    * via
local server_informed = dhcp_type("DHCPINFORM") * " from " * client_addr * via
local server_answers = dhcp_type("DHCPOFFER", "DHCPACK", "DHCPNAK") * " on " * client_addr * " to " * hw_addr
    * client_name * via
local server_confirms = dhcp_type("DHCPACK") * " to " * client_addr * (P" (" * hw_addr * ")") ^ -1 * client_name * via
local boot_reply = dhcp_type("BOOTREPLY") * (P" for " + P" on ") * client_addr * " to "
    * (hw_addr * client_name + text(word, "dhcp_client_hostname") * " (" * hw_addr * ")") * via

local blank = P" " ^ 1
local pool = text(P"balancing" + "balanced" + "not balanced", "dhcp_pool_result") * " pool "
    * text(word, "dhcp_pool_id") * blank
    * text(word, "dhcp_network") * blank * "total " * number("dhcp_lease_count") * blank * "free "
        * number("dhcp_free_leases")
    * blank * "backup " * number("dhcp_backup_leases") * blank * "lts " * number("dhcp_lts")
    * (blank * (P"max-own (+/-)" + "hold ") * number("dhcp_hold")) ^ -1
    * (blank * (P"max-misbal " + "thresh ") * number("dhcp_thresh")) ^ -1
local bind_update = P"bind update on " * client_addr * (P" from " + " got ack from ")
    * (text(before(" rejected: "), "dhcp_failover_peer") * " rejected: " + text(before(": "), "dhcp_failover_peer")
        * ": ")
    * text(rest, "dhcp_bind_update_status")

local dhcpd = Ct(server_receives + server_asked + server_told + server_informed + server_answers + server_confirms
    + boot_reply + pool + bind_update)

--[[ Logins ---------------------------------------------------------------------------------------------------------]]

local function quoted(name)
    return P"'" * text((1 - P"'") ^ 0, name) * "'"
end

local login = Ct(
    P"FAILED LOGIN (" * number("failcount") * ") on " * quoted("tty") * (P" from " * quoted("from")) ^ -1
        * (P" FOR " * quoted("user")) ^ -1 * (P", " * text(rest, "pam_error")) ^ -1
    + P"ROOT LOGIN" * blank * "on " * quoted("tty") * (P" from " * quoted("from")) ^ -1
)

local su = Ct(
    text(P"Successful" + "FAILED", "su_status") * " su for " * text(before(" by "), "su_name") * " by "
        * text(word, "su_oldname")
    + P"pam_authenticate: " * text(rest, "pam_error")
)

-- What comes before the first assignment is the user, and after it what sudo has to say.
local sudo_start = (P" : " + P" ; ") * #P"TTY="
local function sudo_part(key, name)
    return P" ; " * key * "=" * text((1 - P" ; ") ^ 0, name)
end

local sudo = Ct(
    space ^ 0 * text((1 - sudo_start) ^ 1, "sudo_message") * sudo_start
    * "TTY=" * text((1 - P" ; ") ^ 0, "sudo_tty")
    * sudo_part("PWD", "sudo_pwd") * sudo_part("USER", "sudo_user")
    * sudo_part("GROUP", "sudo_group") ^ -1 * sudo_part("TSID", "sudo_tsid") ^ -1 * sudo_part("ENV", "sudo_env") ^ -1
    * (P" ; COMMAND=" * text(rest, "sudo_command"))
)

local session_id = number("session_id") * #S" ." + text((1 - S" .") ^ 1, "session_id")

local systemd_logind = Ct(
    P"New session " * session_id * " of user " * text((1 - P"." * at_end) ^ 1, "user_id") * "."
        * constant("SESSION_START", "sd_message")
    + P"Removed session " * session_id * "." * constant("SESSION_STOP", "sd_message")
)

--[[ sshd -----------------------------------------------------------------------------------------------------------]]

local remote_addr = address("remote_addr")
local remote_port = P" port " * number("remote_port")
local remote = remote_addr * remote_port ^ -1

local ssh_method = text((1 - (space + "/")) ^ 1, "sshd_method") * (P"/" * text(word, "sshd_submethod")) ^ -1
local ssh_user = P"invalid user " ^ -1 * text(maybe_before(" from "), "remote_user")
local ssh_authentication = text(P"Accepted" + "Failed" + "Partial" + "Postponed", "sshd_authmsg") * " " * ssh_method
    * " for " * ssh_user * " from " * remote_addr * remote_port * P" ssh" * digit
        * (P": " * text(rest, "sshd_info")) ^ -1
local ssh_disconnect = P"Received disconnect from " * remote * ": " * number("disconnect_reason") * ": "
        * text(rest, "disconnect_msg")
    + P"Disconnected from " * (P"invalid user " + "authenticating user " + "user ") ^ -1
        * (text(word, "remote_user") * " ") ^ -1 * remote_addr * remote_port
    + P"Disconnecting" * (1 - P":") ^ 0 * ": " * text(rest, "disconnect_msg")
local ssh_mapping = P"reverse mapping checking getaddrinfo for " * address("remote_host") * " [" * remote_addr * "]"
    + P"Address " * remote_addr * " maps to " * address("remote_host") * ", but this does not map back to the address"
local ssh_closed = P"Connection closed by "
    * ((P"invalid user " + "authenticating user ") * text(word, "remote_user") * " ") ^ -1 * remote
local ssh_invalid = P"Invalid user " * text(maybe_before(" from "), "remote_user") * " from " * remote
    + P"input_userauth_request: invalid user " * text(word, "remote_user")
local ssh_server = P"Received signal " * number("signal")
    + P"Server listening on " * address("listen_address") * " port " * number("listen_port")
local ssh_silent = P"Did not receive identification string from " * remote
local ssh_subsystem = P"subsystem request for " * text(word, "sshd_subsystem")
    * (P" by user " * text(word, "remote_user")) ^ -1
local ssh_error = text(P"error" + "fatal", "sshd_errorlevel") * ": " * text(rest, "sshd_error")

local sshd = Ct(ssh_authentication + ssh_disconnect + ssh_mapping + ssh_subsystem + ssh_closed + ssh_invalid
    + ssh_server
    + ssh_silent + ssh_error)

--[[ Users and groups -----------------------------------------------------------------------------------------------]]

local function assigned(key, name)
    return P(key) * "=" * text((1 - S",\n") ^ 0, name)
end

local groupadd = Ct(P"new group: " * assigned("name", "group_name") * ", GID=" * number("gid"))

local groupdel = Ct(P"group " * quoted("group_name") * " removed" * (P" from " * text(word, "group_dbname")) ^ -1)

local useradd = Ct(
    P"new user: " * assigned("name", "user_name") * ", UID=" * number("uid") * ", GID=" * number("gid")
        * ", " * assigned("home", "user_home") * ", " * assigned("shell", "user_shell")
    + P"add " * quoted("user_name") * " to " * P"shadow " ^ -1 * "group " * quoted("group_name")
)

--[[ named ----------------------------------------------------------------------------------------------------------]]

local dns_name = text((1 - S"/' ") ^ 1, "dns_name")
local dns_type = P"/" * text((1 - S"/' ") ^ 1, "dns_type")
local dns_class = P"/" * text((1 - S"/:' ") ^ 1, "dns_class")
local dns_question = dns_name * (dns_type * dns_class ^ -1) ^ -1
local dns_domain = P" (in '" * text((1 - P"'") ^ 0, "dns_domain") * "'?)"
local dns_server = address("dns_addr") * "#" * number("dns_port")
local dns_client = address("dns_client_addr") * "#" * number("dns_client_port")

local named_resolving = text(before(" resolving '"), "dns_error") * " resolving '" * dns_question * "'"
    * dns_domain ^ -1
    * ": " * dns_server
local named_error = P"error (" * text(before(")"), "dns_error") * ") resolving '" * dns_question * "'" * dns_domain ^ -1
    * ": " * dns_server
local named_format = text("DNS format error", "dns_error") * " from " * dns_server * " resolving " * dns_question
    * (P" for client " * dns_client) ^ -1 * ": " * text(rest, "dns_message")
local named_cname = P"skipping nameserver '" * text(before("'"), "dns_nameserver")
    * "' because it is a CNAME, while resolving '" * dns_question * "'"
local named_client = P"client " * (P"@0x" * xdigit ^ 1 * " ") ^ -1 * dns_client
    * (P"/key " * text((1 - S": ") ^ 1, "dns_client_signer")) ^ -1 * (P" (" * dns_name * ")") ^ -1 * ": "
    * (P"view " * text(before(": "), "dns_view") * ": ") ^ -1 * text(rest, "dns_message")
local named_success = P"success resolving '" * dns_question * "'" * dns_domain ^ -1 * " " * text(rest, "dns_message")
local named_notify = P"zone " * dns_name * dns_class * (P"/" * text(before(":"), "dns_view")) ^ -1
    * ": sending notifies (serial "
    * number("dns_serial") * ")"
local named_clients = P"clients-per-query " * (P"increased" + "decreased") * " to " * number("dns_clients_per_query")

local named = Ct(named_success + named_error + named_format + named_cname + named_client + named_notify + named_clients
    + named_resolving)

--[[ puppet-agent ---------------------------------------------------------------------------------------------------]]

-- (/Stage[main]/Ntp/File[/etc/ntp.conf]/content): the name behind the last bracket is a parameter of the resource.
local resource_part = (1 - (P"/" * (lpeg.lower + "_") ^ 1 * ")" + ") ")) ^ 1
local resource = P"(" * text(resource_part, "puppet_resource_path")
    * (P"/" * text((lpeg.lower + "_") ^ 1, "puppet_parameter")) ^ -1 * ") "

-- Values are in quotes or bare.
local function value(name, stop)
    return P"'" * text(maybe_before(P"'" * stop), name) * "'" + text(before(stop), name)
end

local would_have = P"Would have " * constant("noop", "puppet_noop")
local noop = (P" (" * text("noop", "puppet_noop") * ")") ^ -1
local parameter_name = (lpeg.lower + "_") ^ 1

local puppet_changed = text(parameter_name, "puppet_ensure_parameter") * " "
    * text("changed", "puppet_change") * " " * value("puppet_old_value", P" to ") * " to "
    * value("puppet_new_value", at_end)
local puppet_defined = text(P"defined", "puppet_change") * " " * text(parameter_name, "puppet_ensure_parameter")
    * " as "
    * value("puppet_new_value", at_end)
local historical = (P" (previously recorded value was " * value("puppet_historical_value", P")") * ")") ^ -1
local puppet_audit = P"current_value " * value("puppet_current_value", P", should be ") * ", should be "
    * value("puppet_should_value", P" (" + at_end) * noop * historical
local puppet_triggered = (would_have * P"triggered " + P"Triggered ") * value("puppet_callback", P" from ") * " from "
    * number("puppet_events_count") * " event"
local puppet_scheduling = P"Scheduling " * text(word, "puppet_callback") * " of " * text(rest, "puppet_callback_target")
local puppet_bucketed = P"Filebucketed " * text(before(" to "), "puppet_file_path") * " to "
    * text(word, "puppet_bucket")
    * " with sum " * text(word, "puppet_file_sum")
local puppet_message = text(rest, "puppet_msg")

local puppet_event = resource * (puppet_changed + puppet_defined + puppet_audit + puppet_triggered + puppet_scheduling
    + puppet_bucketed + puppet_message)
local puppet_finished = text(P"Finished catalog run" + "Applied catalog", "puppet_msg") * " in "
    * number("puppet_benchmark_seconds") * " seconds"
-- Lines that say no more than that the agent is at work.
local puppet_progress = P"Caching catalog for " + "Applying configuration version " + "Retrieving plugin"
    + "Retrieving pluginfacts"
    + "Loading facts" + "Starting Puppet client version " + "Reopening log files" + "Using configured environment "

local puppet_agent = Ct(puppet_finished + puppet_event + puppet_progress)

--[[ PAM ------------------------------------------------------------------------------------------------------------]]

local pam_source = text((1 - S"( ") ^ 1, "pam_module") * "(" * text((1 - S":)") ^ 1, "pam_service")
    * ":" * text((1 - P")") ^ 1, "pam_type") * "): "

-- Newer versions put the number behind the name of the user.
local pam_user = text((1 - (space + "(uid=")) ^ 1, "user_name") * (P"(uid=" * digit ^ 1 * ")") ^ -1
local pam_session = text("session opened", "pam_action") * " for user " * pam_user * " by "
        * text((1 - S"( ") ^ 0, "login_name") * "(uid=" * number("uid") * ")"
    + text("session closed", "pam_action") * " for user " * pam_user

local function pam_value(key)
    return blank ^ -1 * key * "=" * text((1 - space) ^ 0, key)
end

local function pam_number(key)
    return blank ^ -1 * key * "=" * number(key)
end

local pam_failure = text("authentication failure", "pam_action") * ";" * pam_value("logname") * pam_number("uid")
    * pam_number("euid") * pam_value("tty") * pam_value("ruser") * pam_value("rhost") * pam_value("user") ^ -1
local pam_check = text("check pass", "pam_action") * "; user "
    * (P"(" * text((1 - P")") ^ 0, "user_name") * ") ") ^ -1 * "unknown"

local pam = Ct(pam_source * (pam_session + pam_failure + pam_check))

--[[ Lookup ---------------------------------------------------------------------------------------------------------]]

local PROGRAMS = {
    CRON = cron,
    crontab = cron,
    dhclient = dhclient,
    dhcpd = dhcpd,
    login = login,
    groupadd = groupadd,
    groupdel = groupdel,
    named = named,
    ["puppet-agent"] = puppet_agent,
    sshd = sshd,
    su = su,
    sudo = sudo,
    ["systemd-logind"] = systemd_logind,
    useradd = useradd,
}

local WILDCARDS = {PAM = pam}

function M.get_prog_grammar(name)
    return PROGRAMS[name]
end

function M.get_wildcard_grammar(name)
    if type(name) == "string" then
        return WILDCARDS[name]
    end
    if name == nil then
        name = {}
        for known in pairs(WILDCARDS) do
            name[#name + 1] = known
        end
    end
    local grammars = {}
    for _, wanted in ipairs(name) do
        grammars[wanted] = WILDCARDS[wanted]
    end
    return grammars
end

return M

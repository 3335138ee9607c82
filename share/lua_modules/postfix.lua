--[=[
# postfix

Parses the log messages of the mail server Postfix.

| function | result |
|---|---|
| `postfix_match(programname, message, extract_keyvalue_data)` | a table that fits into the `Fields` of a message; nil if the message is not known |

`programname` is that of syslog, `postfix/smtpd` for instance; what counts is the part after the slash: `smtpd`,
`cleanup`, `qmgr`, `pipe`, `postscreen`, `dnsblog`, `anvil`, `smtp`, `lmtp`, `discard`, `pickup`, `tlsproxy`, `master`,
`bounce`, `sendmail`, `postdrop`, `trivial_rewrite`, `tlsmgr`, `scache`, `local`. The names of all fields begin with
`postfix_`. Addresses have the representation `ipv4`, `ipv6` or `hostname`; numbers that are whole by their nature are
integers.

Many messages hold pairs `key=value`. They are one text, `postfix_keyvalue_data`; with `extract_keyvalue_data` each
becomes a field of its own, and `client`, `relay` and `delays` are taken apart.

## Example

    local postfix = require "postfix"
    local fields = postfix.postfix_match("postfix/qmgr", "7EE668039: from=<a@b.c>, size=2495, nrcpt=1 (queue active)", true)
    -- postfix_queueid == "7EE668039", postfix_from == "a@b.c", postfix_size.value == 2495, postfix_nrcpt.value == 1
--]=]

local ip = require "ip_address"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, space, xdigit = lpeg.alnum, lpeg.digit, lpeg.space, lpeg.xdigit

local M = {}

local INTEGER = 2

--[[ Building blocks ------------------------------------------------------------------------------------------------]]

local function text(pattern, name)
    return Cg(C(pattern), name)
end

local function integer(name)
    return Cg(digit ^ 1 / tonumber, name)
end

local function decimal(name)
    return Cg(digit ^ 1 * (P"." * digit ^ 1) ^ -1 / tonumber, name)
end

--- All that comes before `stop`.
local function before(stop)
    return (1 - P(stop)) ^ 1
end

local rest = P(1) ^ 1
local word = (1 - space) ^ 1
local at_end = space ^ 0 * -1

local function represented(pattern, representation)
    return Ct(Cg(C(pattern), "value") * Cg(Cc(representation), "representation"))
end

local numeric_address = represented(ip.v4, "ipv4") + represented(ip.v6, "ipv6")
local name_character = alnum + S"-._"
local address = represented(ip.v4 * -name_character, "ipv4")
    + represented(ip.v6 * -name_character, "ipv6")
    + represented(name_character ^ 1, "hostname")

--- host[address]:port, the port being optional, under names that begin with `prefix`.
local function peer(prefix)
    return Cg(address, prefix .. "_hostname") * "[" * (Cg(numeric_address, prefix .. "_ip") + "unknown") * "]"
        * (P":" * (integer(prefix .. "_port") + "unknown")) ^ -1
end

local client = peer("client")
local server = P"[" * Cg(numeric_address, "server_ip") * "]:" * integer("server_port")

-- Long identifiers have letters of all kinds, short ones are hexadecimal.
local at_least_15 = alnum ^ 15
local queue_id = at_least_15 + xdigit ^ 6 * -alnum
local queueid = text(queue_id, "queueid") * ": "
local noqueue = text("NOQUEUE", "queueid") * ": "

local status_code = digit * digit * digit
local enhanced_code = digit * "." * digit ^ 1 * "." * digit ^ 1
local stage = text((R"AZ" + S"-/" + P" " * #R"AZ") ^ 1, "smtp_stage")
local action = text((alnum + S"-_") ^ 1, "action")

--[[ Pairs ----------------------------------------------------------------------------------------------------------]]

local key = (alnum + S"_-") ^ 1
local separator = (P"," ^ -1 * P" " ^ 1) * #(key * "=")
local bracketed = P"<" * C((1 - (P">" * (separator + at_end + P" "))) ^ 0) * ">"
local plain = C((1 - (separator + P", ")) ^ 0)
local pair = Ct(C(key) * "=" * (bracketed + plain))
local pairs_grammar = Ct(pair * ((P"," ^ -1 * P" " ^ 1) * pair) ^ 0)

local pairs_text = #(key * "=") * rest
local keyvalue_data = text(pairs_text, "keyvalue_data")

--- Pairs that end before `stop`.
local function pairs_before(stop)
    return #(key * "=") * text(before(stop), "keyvalue_data") * stop
end

local relay = peer("relay")
    + Cg(address, "relay_hostname") * "[" * text(before("]"), "relay_service") * "]"
    + text(word, "relay_service")
local delays = decimal("delay_before_qmgr") * "/" * decimal("delay_in_qmgr") * "/"
    * decimal("delay_conn_setup") * "/" * decimal("delay_transmission")

--[[ Messages that several daemons write ----------------------------------------------------------------------------]]

local function level(name)
    return P(name) * ": " * text(rest, "warning")
end

local warning = level("warning") + level("fatal") + level("error") + level("panic")

local tls_details = text(word, "tls_version") * " with cipher " * text(word, "tls_cipher") * " ("
    * text(digit ^ 1 * "/" * digit ^ 1, "tls_cipher_size") * " bits)"
local tls_kind = (1 - P" TLS connection") ^ 1 * " TLS connection established "
local tls_from_client = tls_kind * "from " * client * ": " * tls_details
local tls_to_relay = tls_kind * "to " * peer("relay") * ": " * tls_details

local queued_pairs = queueid * keyvalue_data

-- The pairs of a refusal follow the last semicolon that a pair comes after.
local refusal_text = text((1 - P"; " * #(key * "=")) ^ 1, "status_message")
local status_data = P"<" * text(before(">"), "status_data") * ">: "
local refusal = text(status_code, "status_code") * (P" " * text(enhanced_code, "status_code_enhanced")) ^ -1 * " "
    * status_data ^ -1 * refusal_text * (P"; " * keyvalue_data) ^ -1
local refused = noqueue * action * ": " * stage * " from " * client * ": " * refusal

--[[ Daemons --------------------------------------------------------------------------------------------------------]]

local lost_connection = text("lost connection", "smtpd_lostconn_data") * " after " * stage
    * (P" (" * (digit ^ 1) * " bytes)") ^ -1 * " from " * client
    + action * " from " * client * ": " * text("lost connection", "smtpd_lostconn_data")

local smtpd = P"connect from " * client
    + P"disconnect from " * client
    + lost_connection
    + refused
    + P"improper command pipelining after " * stage * " from " * client
    + tls_from_client
    + warning
    + text(P"proxy-" * (alnum + "-") ^ 1, "action") * ": " * stage * ": " * text(before("; "), "status_message")
        * "; " * keyvalue_data
    + queued_pairs

local milter = queueid * P"milter-" * text((alnum + "-") ^ 1, "milter_result") * ": "
    * text(before(";"), "milter_message")
    * "; " * (text(#(key * "=") * before(": "), "keyvalue_data") * ": " * text(rest, "milter_data") + keyvalue_data)

local cleanup = milter + warning + queued_pairs

local qmgr = queueid * "removed" * at_end
    + queueid * pairs_before(" (queue active)")
    + warning
    + queued_pairs

local pipe = queueid * #(key * "=") * text(before(" (delivered via "), "keyvalue_data") * " (delivered via "
        * text((1 - S" )") ^ 1, "pipe_service")
    + queueid * pairs_before(" (mail forwarding loop for ") * text(before(")"), "to") * ")"
    + warning
    + queued_pairs

local access = text(P"ALLOWLIST VETO" + "WHITELIST VETO" + "ALLOWLISTED" + "WHITELISTED" + "DENYLISTED" + "BLACKLISTED"
    + "PASS NEW" + "PASS OLD", "postscreen_access") * " " * client
local violation_name = P"BARE NEWLINE" + "COMMAND COUNT LIMIT" + "COMMAND LENGTH LIMIT" + "COMMAND PIPELINING"
    + "COMMAND TIME LIMIT"
    + "HANGUP" + "NON-SMTP COMMAND" + "PREGREET"
local violation_time = P" after " * text(digit ^ 1 * (P"." * digit ^ 1) ^ -1, "postscreen_violation_time")
local violation = text(violation_name, "postscreen_violation") * (P" " * digit ^ 1) ^ -1 * violation_time ^ -1
    * (P" from " + P" ") * client
    * (violation_time + P" after " * stage + P" in tests after SMTP handshake"
        + P" in tests before SMTP handshake") ^ -1

local postscreen = P"CONNECT from " * client * " to " * server
    + P"DISCONNECT " * client
    + access
    + noqueue * text("reject", "action") * ": CONNECT from " * client * ": " * text(rest, "postscreen_toobusy_data")
    + refused
    + P"cache " * word * " full cleanup: retained=" * integer("postscreen_cache_retained") * " dropped="
        * integer("postscreen_cache_dropped") * " entries"
    + text("DNSBL", "postscreen_violation") * " rank " * integer("postscreen_dnsbl_rank") * " for " * client
    + violation
    + warning

local dnsblog = P"addr " * Cg(numeric_address, "client_ip") * " listed by domain " * text(word, "dnsbl_domain")
    * " as " * text(word, "dnsbl_result")
    + warning

local anvil_subject = P" for (" * text((1 - P":") ^ 1, "service") * ":" * Cg(numeric_address, "client_ip") * ")"
local anvil_time = P" at " * text(rest, "anvil_timestamp")
local anvil = P"statistics: max connection rate " * integer("anvil_conn_rate") * "/" * text(word, "anvil_conn_period")
        * anvil_subject * anvil_time
    + P"statistics: max connection count " * integer("anvil_conn_count") * anvil_subject * anvil_time
    + P"statistics: max cache size " * integer("anvil_cache_size") * anvil_time
    + warning

-- The response is in parentheses and may hold parentheses.
local response = P" (" * text((1 - P")" * at_end) ^ 0, "smtp_response") * ")"
local delivery = queueid * pairs_before(P", status=" + P" status=") * text((1 - space) ^ 1, "status") * response ^ -1

local smtp = delivery
    + P"connect to " * peer("relay") * ": " * text(rest, "smtp_response")
    + queueid * (P"lost connection with " + P"conversation with ") * peer("relay") * P" " ^ 0
        * text(rest, "smtp_response")
    + queueid * P"host " * peer("relay") * " said: " * text(rest, "smtp_response")
    + P"SSL_connect error to " * peer("relay") * ": " * text(rest, "warning")
    + tls_to_relay
    + warning
    + queued_pairs

local discard = delivery + warning

local pickup = queueid * "uid=" * integer("uid") * " from=<" * text((1 - P">") ^ 0, "from") * ">"
    * (P" orig_id=" * text(word, "orig_id")) ^ -1
    + warning

local tlsproxy = (P"CONNECT" + "DISCONNECT") * P" from" ^ -1 * " " * client
    + tls_from_client
    + warning

local master = (P"daemon started" + "reload") * " -- version " * text((1 - P",") ^ 1, "version") * ", configuration "
        * text(word, "config_path")
    + P"terminating on signal " * integer("termination_signal")
    + warning

local notification = P"sender non-delivery notification" + "sender delivery status notification"
    + "sender delay notification"
    + "postmaster non-delivery notification" + "postmaster delay notification"
local bounce = queueid * notification * ": " * text(queue_id, "bounce_queueid") + warning

local function cache_count(name)
    return integer("scache_" .. name)
end

local scache = P"statistics: start interval " * text(rest, "scache_timestamp")
    + P"statistics: " * (P"domain" + "address") * " lookup hits=" * cache_count("hits") * " miss=" * cache_count("miss")
        * " success=" * cache_count("success") * P"%" ^ -1
    + P"statistics: max simultaneous domains=" * cache_count("domains") * " addresses=" * cache_count("addresses")
        * " connection=" * cache_count("connection")
    + warning

local daemons = {
    smtpd = smtpd,
    cleanup = cleanup,
    qmgr = qmgr,
    pipe = pipe,
    postscreen = postscreen,
    dnsblog = dnsblog,
    anvil = anvil,
    smtp = smtp,
    lmtp = smtp,
    discard = discard,
    pickup = pickup,
    tlsproxy = tlsproxy,
    master = master,
    bounce = bounce,
    sendmail = warning,
    postdrop = warning,
    trivial_rewrite = warning,
    ["trivial-rewrite"] = warning,
    tlsmgr = warning,
    scache = scache,
    ["local"] = delivery + warning + queued_pairs,
    relay_info = relay,
    delays = delays,
    keyvalue_data = keyvalue_data,
}

local grammars = {}
for name, pattern in pairs(daemons) do
    grammars[name] = Ct(pattern)
end

--[[ Fields ---------------------------------------------------------------------------------------------------------]]

local INTEGERS = {
    "anvil_cache_size", "anvil_conn_count", "anvil_conn_rate", "client_port", "nrcpt", "postscreen_cache_dropped",
    "postscreen_cache_retained", "postscreen_dnsbl_rank", "relay_port", "server_port", "size", "status_code",
    "termination_signal", "uid",
}

-- Pairs whose values are taken apart.
local COMPOSITES = {client = Ct(client), relay = Ct(relay), delays = Ct(delays)}

local function merge(fields, more)
    for name, value in pairs(more) do
        fields[name] = value
    end
end

local function extract_pairs(fields)
    local found = fields.keyvalue_data and pairs_grammar:match(fields.keyvalue_data)
    if not found then
        return
    end
    fields.keyvalue_data = nil
    for _, entry in ipairs(found) do
        local name, value = entry[1], entry[2]
        local composite = COMPOSITES[name]
        local parts = composite and composite:match(value)
        if parts then
            merge(fields, parts)
        else
            fields[name] = value
        end
    end
    fields.delay = fields.delay and (tonumber(fields.delay) or fields.delay)
end

local function mark_integers(fields)
    for _, name in ipairs(INTEGERS) do
        local value = tonumber(fields[name])
        if value then
            fields[name] = {value = value, value_type = INTEGER}
        end
    end
end

local function with_prefix(fields)
    local prefixed = {}
    for name, value in pairs(fields) do
        prefixed["postfix_" .. name] = value
    end
    return prefixed
end

--- The fields of a message of one of Postfix's daemons; nil if the message is not known.
function M.postfix_match(programname, message, extract_keyvalue_data)
    local daemon = string.match(programname, "^[^/]*/(.*)$")
    local grammar = daemon and grammars[daemon]
    local fields = grammar and grammar:match(message)
    if not fields then
        return nil
    end
    if extract_keyvalue_data then
        extract_pairs(fields)
    end
    mark_integers(fields)
    return with_prefix(fields)
end

return M

local check = require "check"
local postfix = require "postfix"

local function hostname(value)
    return {value = value, representation = "hostname"}
end

local function v4(value)
    return {value = value, representation = "ipv4"}
end

local function int(value)
    return {value = value, value_type = 2}
end

--- The fields of a client, together with others.
local function client(name, address, fields)
    fields.postfix_client_hostname = hostname(name)
    fields.postfix_client_ip = v4(address)
    return fields
end

local cases = {
    {"smtpd", "connect from mail.example.com[192.0.2.5]:25",
        client("mail.example.com", "192.0.2.5", {postfix_client_port = int(25)})},
    {"smtpd", "disconnect from unknown[192.0.2.5]", client("unknown", "192.0.2.5", {})},
    {"smtpd", "connect from v6.example.com[2001:db8::1]", {
        postfix_client_hostname = hostname"v6.example.com",
        postfix_client_ip = {value = "2001:db8::1", representation = "ipv6"}}},
    {"smtpd", "lost connection after DATA (123 bytes) from unknown[192.0.2.5]", client("unknown", "192.0.2.5", {
        postfix_smtpd_lostconn_data = "lost connection", postfix_smtp_stage = "DATA"})},
    {"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.5]: 550 5.1.1 <x@y>: Recipient address rejected: User unknown; "
        .. "from=<a@b> to=<x@y> proto=ESMTP helo=<h>", client("unknown", "192.0.2.5", {
        postfix_queueid = "NOQUEUE", postfix_action = "reject", postfix_smtp_stage = "RCPT", postfix_status_code = int(550),
        postfix_status_code_enhanced = "5.1.1", postfix_status_data = "x@y",
        postfix_status_message = "Recipient address rejected: User unknown", postfix_from = "a@b", postfix_to = "x@y",
        postfix_proto = "ESMTP", postfix_helo = "h"})},
    {"smtpd", "improper command pipelining after DATA from unknown[192.0.2.5]: x",
        client("unknown", "192.0.2.5", {postfix_smtp_stage = "DATA"})},
    {"smtpd", "Anonymous TLS connection established from unknown[192.0.2.5]: TLSv1.2 with cipher AES256-SHA (256/256 bits)",
        client("unknown", "192.0.2.5", {
            postfix_tls_version = "TLSv1.2", postfix_tls_cipher = "AES256-SHA", postfix_tls_cipher_size = "256/256"})},
    {"smtpd", "warning: hostname x does not resolve", {postfix_warning = "hostname x does not resolve"}},
    {"smtpd", "7EE668039: client=mail.example.com[192.0.2.5]:25, sasl_method=PLAIN", client("mail.example.com", "192.0.2.5", {
        postfix_queueid = "7EE668039", postfix_client_port = int(25), postfix_sasl_method = "PLAIN"})},
    {"cleanup", "7EE668039: message-id=<x@y>", {postfix_queueid = "7EE668039", ["postfix_message-id"] = "x@y"}},
    {"cleanup", "7EE668039: milter-reject: END-OF-MESSAGE from unknown[192.0.2.5]: 5.7.1 no; from=<a@b> to=<c@d>", {
        postfix_queueid = "7EE668039", postfix_milter_result = "reject",
        postfix_milter_message = "END-OF-MESSAGE from unknown[192.0.2.5]: 5.7.1 no", postfix_from = "a@b", postfix_to = "c@d"}},
    {"qmgr", "7EE668039: removed", {postfix_queueid = "7EE668039"}},
    {"qmgr", "7EE668039: from=<a@b.c>, size=2495, nrcpt=1 (queue active)", {
        postfix_queueid = "7EE668039", postfix_from = "a@b.c", postfix_size = int(2495), postfix_nrcpt = int(1)}},
    {"qmgr", "3bxY8T5zJ9z2Xg7: from=<>, size=1, nrcpt=2 (queue active)", {
        postfix_queueid = "3bxY8T5zJ9z2Xg7", postfix_from = "", postfix_size = int(1), postfix_nrcpt = int(2)}},
    {"qmgr", "ABCDEF0123456789GHI: removed", {postfix_queueid = "ABCDEF0123456789GHI"}},
    {"pipe", "7EE668039: to=<a@b>, relay=dovecot, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, status=sent (delivered via dovecot service)", {
        postfix_queueid = "7EE668039", postfix_to = "a@b", postfix_relay_service = "dovecot", postfix_delay = 0.1,
        postfix_delay_before_qmgr = 0.1, postfix_delay_in_qmgr = 0, postfix_delay_conn_setup = 0, postfix_delay_transmission = 0,
        postfix_dsn = "2.0.0", postfix_status = "sent", postfix_pipe_service = "dovecot"}},
    {"postscreen", "CONNECT from [192.0.2.5]:99 to [10.0.0.1]:25", nil},
    {"postscreen", "CONNECT from unknown[192.0.2.5]:99 to [10.0.0.1]:25", client("unknown", "192.0.2.5", {
        postfix_client_port = int(99), postfix_server_ip = v4"10.0.0.1", postfix_server_port = int(25)})},
    {"postscreen", "cache btree:/x full cleanup: retained=5 dropped=2 entries", {
        postfix_postscreen_cache_retained = int(5), postfix_postscreen_cache_dropped = int(2)}},
    {"dnsblog", "addr 192.0.2.5 listed by domain zen.spamhaus.org as 127.0.0.4", {
        postfix_client_ip = v4"192.0.2.5", postfix_dnsbl_domain = "zen.spamhaus.org", postfix_dnsbl_result = "127.0.0.4"}},
    {"anvil", "statistics: max connection rate 3/60s for (smtp:192.0.2.5) at Feb 10 12:00:00", {
        postfix_anvil_conn_rate = int(3), postfix_anvil_conn_period = "60s", postfix_service = "smtp",
        postfix_client_ip = v4"192.0.2.5", postfix_anvil_timestamp = "Feb 10 12:00:00"}},
    {"anvil", "statistics: max connection count 1 for (smtp:192.0.2.5) at Feb 10 12:00:00", {
        postfix_anvil_conn_count = int(1), postfix_service = "smtp", postfix_client_ip = v4"192.0.2.5",
        postfix_anvil_timestamp = "Feb 10 12:00:00"}},
    {"anvil", "statistics: max cache size 2 at Feb 10 12:00:00", {
        postfix_anvil_cache_size = int(2), postfix_anvil_timestamp = "Feb 10 12:00:00"}},
    {"smtp", "7EE668039: to=<a@b.c>, relay=127.0.0.1[127.0.0.1]:2525, delay=3.6, delays=0.2/0.02/0.04/3.3, dsn=2.0.0, status=sent "
        .. "(250 2.0.0 Ok)", {
        postfix_queueid = "7EE668039", postfix_to = "a@b.c", postfix_relay_hostname = v4"127.0.0.1",
        postfix_relay_ip = v4"127.0.0.1", postfix_relay_port = int(2525), postfix_delay = 3.6, postfix_delay_before_qmgr = 0.2,
        postfix_delay_in_qmgr = 0.02, postfix_delay_conn_setup = 0.04, postfix_delay_transmission = 3.3, postfix_dsn = "2.0.0",
        postfix_status = "sent", postfix_smtp_response = "250 2.0.0 Ok"}},
    {"smtp", "7EE668039: to=<a@b>, orig_to=<root>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred "
        .. "(connect to b[192.0.2.9]:25: Connection refused (x))", {
        postfix_queueid = "7EE668039", postfix_to = "a@b", postfix_orig_to = "root", postfix_relay_service = "none",
        postfix_delay = 1, postfix_delay_before_qmgr = 1, postfix_delay_in_qmgr = 0, postfix_delay_conn_setup = 0,
        postfix_delay_transmission = 0, postfix_dsn = "4.4.1", postfix_status = "deferred",
        postfix_smtp_response = "connect to b[192.0.2.9]:25: Connection refused (x)"}},
    {"smtp", "connect to mx.example.com[192.0.2.9]:25: Connection timed out", {
        postfix_relay_hostname = hostname"mx.example.com", postfix_relay_ip = v4"192.0.2.9", postfix_relay_port = int(25),
        postfix_smtp_response = "Connection timed out"}},
    {"discard", "7EE668039: to=<a@b>, relay=none, delay=1, status=sent (x)", {
        postfix_queueid = "7EE668039", postfix_to = "a@b", postfix_relay_service = "none", postfix_delay = 1,
        postfix_status = "sent", postfix_smtp_response = "x"}},
    {"pickup", "7EE668039: uid=1000 from=<ann> orig_id=ABCDEF", {
        postfix_queueid = "7EE668039", postfix_uid = int(1000), postfix_from = "ann", postfix_orig_id = "ABCDEF"}},
    {"tlsproxy", "CONNECT from unknown[192.0.2.5]:99", client("unknown", "192.0.2.5", {postfix_client_port = int(99)})},
    {"master", "daemon started -- version 2.9.6, configuration /etc/postfix", {
        postfix_version = "2.9.6", postfix_config_path = "/etc/postfix"}},
    {"master", "terminating on signal 15", {postfix_termination_signal = int(15)}},
    {"bounce", "7EE668039: sender non-delivery notification: 8FF668039", {
        postfix_queueid = "7EE668039", postfix_bounce_queueid = "8FF668039"}},
    {"sendmail", "fatal: no", {postfix_warning = "no"}},
    {"scache", "statistics: domain lookup hits=1 miss=2 success=33%", {
        postfix_scache_hits = 1, postfix_scache_miss = 2, postfix_scache_success = 33}},
    {"scache", "statistics: max simultaneous domains=1 addresses=2 connection=3", {
        postfix_scache_domains = 1, postfix_scache_addresses = 2, postfix_scache_connection = 3}},
    {"local", "7EE668039: to=<a@b>, relay=local, delay=0.1, status=sent (delivered to mailbox)", {
        postfix_queueid = "7EE668039", postfix_to = "a@b", postfix_relay_service = "local", postfix_delay = 0.1,
        postfix_status = "sent", postfix_smtp_response = "delivered to mailbox"}},
    {"delays", "0.2/0.02/0.04/3.3", {
        postfix_delay_before_qmgr = 0.2, postfix_delay_in_qmgr = 0.02, postfix_delay_conn_setup = 0.04,
        postfix_delay_transmission = 3.3}},
    {"relay_info", "a.example[/var/run/lmtp]", {
        postfix_relay_hostname = hostname"a.example", postfix_relay_service = "/var/run/lmtp"}},
}
for _, case in ipairs(cases) do
    check.equal(postfix.postfix_match("postfix/" .. case[1], case[2], true), case[3], case[1] .. " on " .. case[2])
end

check.equal(postfix.postfix_match("postfix/qmgr", "7EE668039: from=<a@b.c>, size=2495, nrcpt=1 (queue active)"), {
    postfix_queueid = "7EE668039", postfix_keyvalue_data = "from=<a@b.c>, size=2495, nrcpt=1"}, "without extraction")
check.equal(postfix.postfix_match("postfix", "7EE668039: removed"), nil, "no slash")
check.equal(postfix.postfix_match("postfix/unknown", "7EE668039: removed"), nil)
check.equal(postfix.postfix_match("postfix-out/qmgr", "7EE668039: removed"), {postfix_queueid = "7EE668039"})
for _, daemon in ipairs{"smtpd", "cleanup", "qmgr", "pipe", "postscreen", "smtp", "local", "bounce", "master"} do
    check.equal(postfix.postfix_match("postfix/" .. daemon, "something else"), nil, daemon)
end

local check = require "check"
local syslog_message = require "syslog_message"

local function v4(value)
    return {value = value, representation = "ipv4"}
end

local cases = {
    {"CRON", "(root) CMD (/usr/lib/sa/sa1)", {cron_username = "root", cron_event = "CMD", cron_detail = "/usr/lib/sa/sa1"}},
    {"CRON", "(root) CMD (test -x a || (cd / && b))\n",
        {cron_username = "root", cron_event = "CMD", cron_detail = "test -x a || (cd / && b)"}},
    {"crontab", "(ann) BEGIN EDIT (ann)", {cron_username = "ann", cron_event = "BEGIN EDIT", cron_detail = "ann"}},
    {"dhclient", "DHCPREQUEST on eth0 to 10.0.0.1 port 67", {
        dhcp_type = "DHCPREQUEST", dhcp_client_interface = "eth0", dhcp_server_addr = v4"10.0.0.1", dhcp_server_port = 67}},
    {"dhclient", "DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 6", {
        dhcp_type = "DHCPDISCOVER", dhcp_client_interface = "eth0", dhcp_server_addr = v4"255.255.255.255",
        dhcp_server_port = 67, dhcp_client_interval_seconds = 6}},
    {"dhclient", "DHCPACK from 10.0.0.1", {dhcp_type = "DHCPACK", dhcp_server_addr = v4"10.0.0.1"}},
    {"dhclient", "bound to 10.0.0.5 -- renewal in 3600 seconds.", {
        dhcp_client_addr = v4"10.0.0.5", dhcp_client_renewal_seconds = 3600}},
    {"dhcpd", "DHCPDISCOVER from 00:11:22:33:44:55 via eth0", {
        dhcp_type = "DHCPDISCOVER", dhcp_client_hw_addr = "00:11:22:33:44:55", dhcp_source = "eth0"}},
    {"dhcpd", "DHCPREQUEST for 10.0.0.5 (10.0.0.1) from 00:11:22:33:44:55 (web) via eth0: unknown lease 10.0.0.5.", {
        dhcp_type = "DHCPREQUEST", dhcp_client_addr = v4"10.0.0.5", dhcp_server_addr = v4"10.0.0.1",
        dhcp_client_hw_addr = "00:11:22:33:44:55", dhcp_client_hostname = "web", dhcp_source = "eth0",
        dhcp_message = "unknown lease 10.0.0.5."}},
    {"dhcpd", "DHCPACK on 10.0.0.5 to 00:11:22:33:44:55 (web) via eth0", {
        dhcp_type = "DHCPACK", dhcp_client_addr = v4"10.0.0.5", dhcp_client_hw_addr = "00:11:22:33:44:55",
        dhcp_client_hostname = "web", dhcp_source = "eth0"}},
    {"dhcpd", "DHCPINFORM from 10.0.0.5 via eth0", {
        dhcp_type = "DHCPINFORM", dhcp_client_addr = v4"10.0.0.5", dhcp_source = "eth0"}},
    {"dhcpd", "balanced pool 7f0a 10.0.0.0/24  total 100  free 50  backup 45  lts 2  max-misbal 15", {
        dhcp_pool_result = "balanced", dhcp_pool_id = "7f0a", dhcp_network = "10.0.0.0/24", dhcp_lease_count = 100,
        dhcp_free_leases = 50, dhcp_backup_leases = 45, dhcp_lts = 2, dhcp_thresh = 15}},
    {"dhcpd", "balancing pool 7f0a 10.0.0.0/24  total 100  free 50  backup 45  lts -2  max-own (+/-)10", {
        dhcp_pool_result = "balancing", dhcp_pool_id = "7f0a", dhcp_network = "10.0.0.0/24", dhcp_lease_count = 100,
        dhcp_free_leases = 50, dhcp_backup_leases = 45, dhcp_lts = -2, dhcp_hold = 10}},
    {"dhcpd", "bind update on 10.0.0.5 from dhcp-failover rejected: incoming update is less critical", {
        dhcp_client_addr = v4"10.0.0.5", dhcp_failover_peer = "dhcp-failover",
        dhcp_bind_update_status = "incoming update is less critical"}},
    {"login", "FAILED LOGIN (1) on '/dev/tty1' from 'h' FOR 'ann', Authentication failure", {
        failcount = 1, tty = "/dev/tty1", from = "h", user = "ann", pam_error = "Authentication failure"}},
    {"login", "ROOT LOGIN  on '/dev/tty1'", {tty = "/dev/tty1"}},
    {"groupadd", "new group: name=ops, GID=1001", {group_name = "ops", gid = 1001}},
    {"groupdel", "group 'ops' removed", {group_name = "ops"}},
    {"groupdel", "group 'ops' removed from /etc/gshadow", {group_name = "ops", group_dbname = "/etc/gshadow"}},
    {"named", "lame server resolving 'a.example' (in 'example'?): 192.0.2.3#53", {
        dns_error = "lame server", dns_name = "a.example", dns_domain = "example", dns_addr = v4"192.0.2.3", dns_port = 53}},
    {"named", "error (connection refused) resolving 'a.example/AAAA/IN': 192.0.2.3#53", {
        dns_error = "connection refused", dns_name = "a.example", dns_type = "AAAA", dns_class = "IN", dns_addr = v4"192.0.2.3",
        dns_port = 53}},
    {"named", "DNS format error from 192.0.2.3#53 resolving a.example/A for client 10.0.0.1#99: invalid response", {
        dns_error = "DNS format error", dns_addr = v4"192.0.2.3", dns_port = 53, dns_name = "a.example", dns_type = "A",
        dns_client_addr = v4"10.0.0.1", dns_client_port = 99, dns_message = "invalid response"}},
    {"named", "skipping nameserver 'ns.example' because it is a CNAME, while resolving 'a.example/A'", {
        dns_nameserver = "ns.example", dns_name = "a.example", dns_type = "A"}},
    {"named", "client 10.0.0.1#99/key k: view inner: query (cache) 'a.example/A/IN' denied", {
        dns_client_addr = v4"10.0.0.1", dns_client_port = 99, dns_client_signer = "k", dns_view = "inner",
        dns_message = "query (cache) 'a.example/A/IN' denied"}},
    {"named", "success resolving 'a.example/A' (in 'example'?) after disabling EDNS", {
        dns_name = "a.example", dns_type = "A", dns_domain = "example", dns_message = "after disabling EDNS"}},
    {"named", "zone example/IN: sending notifies (serial 2010)", {dns_name = "example", dns_class = "IN", dns_serial = 2010}},
    {"named", "clients-per-query increased to 15", {dns_clients_per_query = 15}},
    {"puppet-agent", "Finished catalog run in 4.40 seconds", {
        puppet_msg = "Finished catalog run", puppet_benchmark_seconds = 4.4}},
    {"puppet-agent", "(/Stage[main]/Ntp/Service[ntp]/ensure) ensure changed 'stopped' to 'running'", {
        puppet_resource_path = "/Stage[main]/Ntp/Service[ntp]", puppet_parameter = "ensure", puppet_ensure_parameter = "ensure",
        puppet_change = "changed", puppet_old_value = "stopped", puppet_new_value = "running"}},
    {"puppet-agent", "(/Stage[main]/Ntp/File[/etc/ntp.conf]) Scheduling refresh of Service[ntp]", {
        puppet_resource_path = "/Stage[main]/Ntp/File[/etc/ntp.conf]", puppet_callback = "refresh",
        puppet_callback_target = "Service[ntp]"}},
    {"puppet-agent", "(/Stage[main]/Ntp/Service[ntp]) Would have triggered 'refresh' from 2 events", {
        puppet_resource_path = "/Stage[main]/Ntp/Service[ntp]", puppet_noop = "noop", puppet_callback = "refresh",
        puppet_events_count = 2}},
    {"puppet-agent", "(/Stage[main]/Ntp/File[/etc/ntp.conf]) Filebucketed /etc/ntp.conf to puppet with sum 0a1b", {
        puppet_resource_path = "/Stage[main]/Ntp/File[/etc/ntp.conf]", puppet_file_path = "/etc/ntp.conf",
        puppet_bucket = "puppet", puppet_file_sum = "0a1b"}},
    {"puppet-agent", "(/Stage[main]/Ntp/File[/etc/x]/mode) current_value 0644, should be 0600 (noop)", {
        puppet_resource_path = "/Stage[main]/Ntp/File[/etc/x]", puppet_parameter = "mode", puppet_current_value = "0644",
        puppet_should_value = "0600", puppet_noop = "noop"}},
    {"puppet-agent", "(/Stage[main]/Ntp/Exec[x]/returns) executed successfully", {
        puppet_resource_path = "/Stage[main]/Ntp/Exec[x]", puppet_parameter = "returns", puppet_msg = "executed successfully"}},
    {"puppet-agent", "Caching catalog for web1", {}},
    {"sshd", "Accepted publickey for foo from 192.0.2.1 port 2222 ssh2", {
        sshd_authmsg = "Accepted", sshd_method = "publickey", remote_user = "foo", remote_addr = v4"192.0.2.1",
        remote_port = 2222}},
    {"sshd", "Failed keyboard-interactive/pam for invalid user x y from ::1 port 1 ssh2: RSA 00:11", {
        sshd_authmsg = "Failed", sshd_method = "keyboard-interactive", sshd_submethod = "pam", remote_user = "x y",
        remote_addr = {value = "::1", representation = "ipv6"}, remote_port = 1, sshd_info = "RSA 00:11"}},
    {"sshd", "Received disconnect from 192.0.2.1: 11: disconnected by user", {
        remote_addr = v4"192.0.2.1", disconnect_reason = 11, disconnect_msg = "disconnected by user"}},
    {"sshd", "reverse mapping checking getaddrinfo for a.example [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!", {
        remote_host = {value = "a.example", representation = "hostname"}, remote_addr = v4"192.0.2.1"}},
    {"sshd", "subsystem request for sftp by user ann", {sshd_subsystem = "sftp", remote_user = "ann"}},
    {"sshd", "Connection closed by 192.0.2.1 [preauth]", {remote_addr = v4"192.0.2.1"}},
    {"sshd", "Invalid user admin from 192.0.2.1 port 7", {
        remote_user = "admin", remote_addr = v4"192.0.2.1", remote_port = 7}},
    {"sshd", "Received signal 15; terminating.", {signal = 15}},
    {"sshd", "Server listening on 0.0.0.0 port 22.", {listen_address = v4"0.0.0.0", listen_port = 22}},
    {"sshd", "Did not receive identification string from 192.0.2.1", {remote_addr = v4"192.0.2.1"}},
    {"sshd", "fatal: Write failed: Broken pipe", {sshd_errorlevel = "fatal", sshd_error = "Write failed: Broken pipe"}},
    {"su", "Successful su for root by ann", {su_status = "Successful", su_name = "root", su_oldname = "ann"}},
    {"su", "pam_authenticate: Authentication failure", {pam_error = "Authentication failure"}},
    {"sudo", "jdoe : TTY=pts/1 ; PWD=/home/jdoe ; USER=root ; COMMAND=/bin/ls -l", {
        sudo_message = "jdoe", sudo_tty = "pts/1", sudo_pwd = "/home/jdoe", sudo_user = "root", sudo_command = "/bin/ls -l"}},
    {"sudo", "  jdoe : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; GROUP=adm ; ENV=A=b ; COMMAND=/bin/a ; b", {
        sudo_message = "jdoe : 3 incorrect password attempts", sudo_tty = "pts/1", sudo_pwd = "/", sudo_user = "root",
        sudo_group = "adm", sudo_env = "A=b", sudo_command = "/bin/a ; b"}},
    {"systemd-logind", "New session 5 of user ann.", {session_id = 5, user_id = "ann", sd_message = "SESSION_START"}},
    {"systemd-logind", "Removed session c1.", {session_id = "c1", sd_message = "SESSION_STOP"}},
    {"useradd", "new user: name=ann, UID=1000, GID=1001, home=/home/ann, shell=/bin/sh", {
        user_name = "ann", uid = 1000, gid = 1001, user_home = "/home/ann", user_shell = "/bin/sh"}},
    {"useradd", "add 'ann' to shadow group 'ops'", {user_name = "ann", group_name = "ops"}},
}
for _, case in ipairs(cases) do
    check.equal(syslog_message.get_prog_grammar(case[1]):match(case[2]), case[3], case[1] .. " on " .. case[2])
end

for _, program in ipairs{
    "CRON", "dhclient", "dhcpd", "login", "groupadd", "groupdel", "named", "puppet-agent", "sshd", "su", "sudo", "systemd-logind",
    "useradd",
} do
    check.equal(syslog_message.get_prog_grammar(program):match("something else"), nil, program)
end
check.equal(syslog_message.get_prog_grammar("unknown"), nil)

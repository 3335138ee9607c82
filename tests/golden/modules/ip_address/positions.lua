local check = require "check"
local ip = require "ip_address"

local cases = {
    {ip.v4, "192.168.1.300", 13},
    {ip.v4, "255.255.255.255", 16},
    {ip.v4, "256.1.1.1", nil},
    {ip.v4, "1.2.3", nil},
    {ip.v4, "1.2.3.4:80", 8},
    {ip.v6, "2001:db8::1", 12},
    {ip.v6, "::ffff:1.2.3.4", 15},
    {ip.v6, "::", 3},
    {ip.v6, "::1", 4},
    {ip.v6, "1::", 4},
    {ip.v6, "1:2:3:4:5:6:7:8", 16},
    {ip.v6, "1:2:3:4:5:6:1.2.3.4", 20},
    {ip.v6, "1:2:3:4:5:6:7::", 16},
    {ip.v6, "1:2:3:4::5:6:7", 15},
    {ip.v6, "fe80::1.2.3.4", 14},
    {ip.v6, "2001:DB8:0:0:8:800:200C:417A", 29},
    {ip.v6, "1:2:3:4:5:6:7", nil},
    {ip.v6, "hostname", nil},
    {ip.v6, "1.2.3.4", nil},
}
for _, case in ipairs(cases) do
    check.equal(case[1]:match(case[2]), case[3], case[2])
end

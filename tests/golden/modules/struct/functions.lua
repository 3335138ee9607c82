local struct = require "struct"
require "string"
local check = require "check"

local packed = struct.pack(">Ihb", 1, -2, 3)
check.equal(packed, "\0\0\0\1\255\254\3")
check.equal({struct.unpack(">Ihb", packed)}, {1, -2, 3, 8})
check.equal(struct.size(">Ihb"), 7)
check.equal({struct.unpack("<i4", "\255\255\255\255x", 1)}, {-1, 5})
check.equal({struct.unpack("B", "ab", 2)}, {98, 3})
check.equal(struct.pack("!4bi4", 1, 2), "\1\0\0\0\2\0\0\0")
check.equal(struct.pack("s", "ab"), "ab\0")
check.equal({struct.unpack("s", "ab\0c")}, {"ab", 4})
check.equal(struct.pack("c3", "abcd"), "abc")
check.equal({struct.unpack("bc0", "\2abc")}, {"ab", 4})
check.equal(struct.pack("xb x", 1), "\0\1\0")
check.equal({struct.unpack("<d", struct.pack("<d", 0.1))}, {0.1, 9})
check.equal(#struct.pack("fhlT", 1, 1, 1, 1), 4 + 2 + 8 + 8)
for message, call in pairs{
    ["invalid format option 'y'"] = function() struct.pack("y", 1) end,
    ["data string too short"] = function() struct.unpack("i4", "abc") end,
    ["unfinished string in data"] = function() struct.unpack("s", "abc") end,
    ["option 's' has no fixed size"] = function() struct.size "s" end,
    ["integral size 33 is larger than limit of 32"] = function() struct.pack("i33", 1) end,
    ["alignment 3 is not a power of 2"] = function() struct.pack("!3i", 1) end,
    ["string too short"] = function() struct.pack("c5", "abc") end,
} do
    check.fails(message, call)
end

require "sax"
local string = require "string"
local check = require "check"

check.equal(type(sax.version()), "string")
local word = sax.word.new({10.3, 7, 1, -5, -5, 7.2}, 2, 8)
check.equal(tostring(word), "FC")
local window = sax.window.new(6, 2, 8)
check.equal(tostring(window), "##")
window:add{-9, -8, -7, -5, -5, 7.2}
local distance = {}
for i, value in ipairs{sax.mindist(word, window:get_word())} do
    distance[i] = string.format("%.6f", value)
end
check.equal(distance, {"1.560325", "1.103316", "1.103316"})
check.equal(sax.mindist(word, sax.word.new("ABC", 8)), nil)

local kept = sax.window.new(4, 2, 4)
kept:add(-10)
kept:add{1, 2, 3, 10.1}
check.equal(sax.word.new({1, 2, 3, 10.1}, 2, 4) == kept:get_word(), true)
kept:clear()
check.equal(tostring(kept:get_word()), "##")
for _, arguments in ipairs{{1, 1, 2}, {6, 4, 8}, {6, 2, 17}, {5000, 2, 4}} do
    check.equal((pcall(sax.window.new, unpack(arguments))), false)
end

--[=[
# syslog_words

The words for facilities and severities, for `syslog`.

| pattern | captures |
|---|---|
| `severity`, `facility` | the number of the word |
--]=]

local lazy = require "lazy"
local lpeg = require "lpeg"
local string = require "string"

local P, Cc = lpeg.P, lpeg.Cc

local M = {}

--- A choice among words in lower or upper case, each with its number. Where one word starts with another, the longer
--- comes first.
local function words(list)
    local choice = P(false)
    for _, entry in ipairs(list) do
        choice = choice + (P(entry[1]) + string.upper(entry[1])) * Cc(entry[2])
    end
    return choice
end

M.severity = words{
    {"debug", 7}, {"info", 6}, {"notice", 5}, {"warning", 4}, {"warn", 4}, {"error", 3}, {"err", 3}, {"crit", 2},
    {"alert", 1},
    {"emerg", 0}, {"panic", 0},
}

M.facility = words{
    {"kern", 0}, {"user", 1}, {"mail", 2}, {"daemon", 3}, {"authpriv", 10}, {"auth", 4}, {"security", 4},
    {"syslog", 5}, {"lpr", 6},
    {"news", 7}, {"uucp", 8}, {"cron", 9}, {"ftp", 11}, {"ntp", 12}, {"audit", 13}, {"alert", 14}, {"clock", 15},
    {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22},
    {"local7", 23},
}

return lazy.once(M)

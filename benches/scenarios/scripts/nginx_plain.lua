-- What a user writes who knows LPeg and `inject_message`, and nothing of this host: a table, in plain Lua.
require "string"
require "os"
local lpeg = require "lpeg"
local P, R, S, C, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cg, lpeg.Ct

local digit = R"09"
local months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
local month = P(false)
for number, name in ipairs(months) do
    month = month + P(name) / string.format("%02d", number)
end

local function seconds(time)
    local offset = time.hours * 3600 + time.minutes * 60
    return os.time(time) - (time.sign == "-" and -offset or offset)
end

-- Lines that follow each other mostly bear the same time.
local last_text, last_time
local moment = Ct(
    Cg(digit * digit, "day") * "/" * Cg(month, "month") * "/" * Cg(digit * digit * digit * digit, "year")
    * ":" * Cg(digit * digit, "hour") * ":" * Cg(digit * digit, "min") * ":" * Cg(digit * digit, "sec")
    * " " * Cg(S"+-", "sign") * Cg(digit * digit, "hours") * Cg(digit * digit, "minutes"))
local function to_ns(text)
    if text ~= last_text then
        last_text, last_time = text, seconds(moment:match(text)) * 1e9
    end
    return last_time
end

local word = C((1 - P" ") ^ 1)
local quoted = P'"' * C((1 - P'"') ^ 0) * '"'
local number = digit ^ 1 / tonumber
local grammar = Ct(
    Cg(word, "remote_addr") * " - " * Cg(word, "remote_user")
    * " [" * Cg(C((1 - P"]") ^ 1) / to_ns, "time") * "] " * Cg(quoted, "request")
    * " " * Cg(number, "status") * " " * Cg(number, "body_bytes_sent")
    * " " * Cg(quoted, "http_referer") * " " * Cg(quoted, "http_user_agent") * P"\n" ^ -1 * -1)

local message = {Type = "nginx.access"}

function process_message()
    local fields = grammar:match(read_message("Payload"))
    if not fields then
        return -1
    end
    message.Timestamp, fields.time = fields.time, nil
    message.Fields = fields
    inject_message(message)
    return 0
end

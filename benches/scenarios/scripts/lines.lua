-- Runs a decoder's script over the lines of a file with reference Lua: `lua5.1 lines.lua SCRIPT FILE LOG_FORMAT`. The
-- host's functions do as little as they can, so what is measured is the grammar, and Lua's part of the script.
local script, path, log_format = ...

local line
local count = 0

function read_config(name)
    return name == "log_format" and log_format or nil
end

function read_message()
    return line
end

function inject_message()
    count = count + 1
end

function inject_match(grammar)
    local fields = grammar:match(line)
    count = count + (fields and 1 or 0)
    return fields
end

function match_decoder(grammar)
    return function()
        return inject_match(grammar)
    end
end

dofile(script)
for text in io.lines(path) do
    line = text
    process_message()
end
print(count)

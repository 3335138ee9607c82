-- Helpers for the chunks of tests/golden/modules.

local string = require "string"

local M = {}

local function text(value)
    if type(value) == "string" then
        return string.format("%q", value)
    elseif type(value) == "number" then
        return string.format("%.17g", value)
    end
    return tostring(value)
end

local function difference(actual, expected, path)
    if actual == expected or (actual ~= actual and expected ~= expected) then
        return nil
    end
    if type(actual) ~= "table" or type(expected) ~= "table" then
        return string.format("%s is %s instead of %s", path, text(actual), text(expected))
    end
    for key in pairs(expected) do
        local found = difference(actual[key], expected[key], path .. "." .. tostring(key))
        if found then
            return found
        end
    end
    for key in pairs(actual) do
        if expected[key] == nil then
            return string.format("%s.%s is %s instead of nil", path, tostring(key), text(actual[key]))
        end
    end
end

--- Raises an error unless both values are equal; tables are compared by what they hold, NaN equals NaN.
function M.equal(actual, expected, what)
    local found = difference(actual, expected, what or "value")
    if found then
        error(found, 2)
    end
end

--- Raises an error unless `f` raises one that contains `message`.
function M.fails(message, f, ...)
    local ok, raised = pcall(f, ...)
    if ok then
        error("no error instead of: " .. message, 2)
    end
    if not string.find(tostring(raised), message, 1, true) then
        error("raised " .. tostring(raised) .. " instead of: " .. message, 2)
    end
end

return M

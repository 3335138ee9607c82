--[=[
# user_agent

What the user agent string of a browser tells, for `common_log_format`.

| function | result |
|---|---|
| `normalize_user_agent(text)` | browser, version (a number) and operating system; each may be nil |
--]=]

require "string"

local M = {}

-- In order of precedence: a browser that runs on Android also claims Linux, Chrome also claims Safari.
local SYSTEMS = {
    {"iPod", "iPod"},
    {"iPad", "iPad"},
    {"iPhone", "iPhone"},
    {"Android", "Android"},
    {"BlackBerry", "BlackBerry"},
    {"Linux", "Linux"},
    {"Macintosh", "Macintosh"},
    {"Mozilla/5.0 (Mobile;", "FirefoxOS"},
    {"Windows NT 10.0", "Windows 10"},
    {"Windows NT 6.3", "Windows 8.1"},
    {"Windows NT 6.2", "Windows 8"},
    {"Windows NT 6.1", "Windows 7"},
    {"Windows NT 6.0", "Windows Vista"},
    {"Windows NT 5.1", "Windows XP"},
    {"Windows NT 5.0", "Windows 2000"},
}

-- With the pattern that finds the version; the others have it after the last slash.
local BROWSERS = {
    {"Chrome", "Chrome/(%d+)"},
    {"Opera Mini"},
    {"Opera Mobi"},
    {"Opera"},
    {"MSIE", "MSIE (%d+)"},
    {"Safari"},
    {"Firefox", "Firefox/(%d+)"},
}

local VERSION_AFTER_LAST_SLASH = "/(%d+)[^/]*$"

local function find_system(user_agent)
    for _, system in ipairs(SYSTEMS) do
        if user_agent:find(system[1], 1, true) then
            return system[2]
        end
    end
end

local function find_browser(user_agent)
    for _, browser in ipairs(BROWSERS) do
        if user_agent:find(browser[1], 1, true) then
            local version = user_agent:match(browser[2] or VERSION_AFTER_LAST_SLASH)
            return browser[1], tonumber(version)
        end
    end
end

-- The same few user agents come again and again. What is remembered is bounded in number and in length.
local MAX_REMEMBERED, MAX_LENGTH = 500, 512
local remembered, remembered_count = {}, 0

local function remember(user_agent, known)
    if #user_agent > MAX_LENGTH then
        return
    end
    if remembered_count >= MAX_REMEMBERED then
        remembered, remembered_count = {}, 0
    end
    remembered[user_agent] = known
    remembered_count = remembered_count + 1
end

--- Browser, version and operating system of the user agent string of a browser; nil for each that is not known.
function M.normalize_user_agent(user_agent)
    local known = remembered[user_agent]
    if not known then
        local browser, version = find_browser(user_agent)
        known = {browser = browser, version = version, system = find_system(user_agent)}
        remember(user_agent, known)
    end
    return known.browser, known.version, known.system
end

return M

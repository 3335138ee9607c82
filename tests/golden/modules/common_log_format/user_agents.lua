local check = require "check"
local clf = require "common_log_format"

local cases = {
    {"Mozilla/5.0 (Windows NT 6.2; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1667.0 Safari/537.36",
        "Chrome", 32, "Windows 8"},
    {"Mozilla/5.0 (compatible; MSIE; )", "MSIE", nil, nil},
    {"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1)", "MSIE", 9, "Windows 7"},
    {"Mozilla/5.0 (iPad; CPU OS 6_0 like Mac OS X) AppleWebKit/536.26 (KHTML, like Gecko) Version/6.0 Safari/8536.25",
        "Safari", 8536, "iPad"},
    {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:26.0) Gecko/20100101 Firefox/26.0", "Firefox", 26, "Linux"},
    {"Mozilla/5.0 (Linux; U; Android 4.0.3) AppleWebKit/534.30 Version/4.0 Mobile Safari/534.30", "Safari", 534, "Android"},
    {"Mozilla/5.0 (Mobile; rv:14.0) Gecko/14.0 Firefox/14.0", "Firefox", 14, "FirefoxOS"},
    {"Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.5.25 Version/10.54", "Opera Mini", 10, nil},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/99.0", "Firefox", 99, "Windows 10"},
    {"curl/7.29.0", nil, nil, nil},
    {"", nil, nil, nil},
}
for round = 1, 2 do -- the second time they are remembered
    for _, case in ipairs(cases) do
        check.equal({clf.normalize_user_agent(case[1])}, {case[2], case[3], case[4]}, case[1])
    end
end

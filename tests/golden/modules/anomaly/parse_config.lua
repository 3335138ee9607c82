local check = require "check"
local anomaly = require "anomaly"

check.equal(anomaly.parse_config(nil), nil)
check.equal(anomaly.parse_config('roc("a ""b""", 1, 15, 0, 1.5, true, false) mww("x",2,60,10,0.0001,decreasing)\n'
    .. 'mww_nonparametric("x", 1, 5, 10, 0.7)mww("x", 1, 2, 3, 1, any)'), {
    ['a "b"'] = {
        {algorithm = "roc", col = 1, win = 15, hwin = 0, sd = 1.5, loss_of_data = true, start_of_data = false},
    },
    x = {
        {algorithm = "mww", col = 2, win = 60, nwin = 10, pvalue = 0.0001, trend = "decreasing"},
        {algorithm = "mww_nonparametric", col = 1, win = 5, nwin = 10, pstat = 0.7},
        {algorithm = "mww", col = 1, win = 2, nwin = 3, pvalue = 1, trend = "any"},
    },
})

for _, text in ipairs{
    "", "roc()", 'roc("", 1, 15, 0, 1.5, true, false)', 'roc("x" , 1, 15, 0, 1.5, true, false)',
    'roc("x", 1, 15, 0, 1.5, true, yes)', 'roc("x", 1, 15, 0, 1.5, true, false )', 'roc("x", 1, 15, 0, -1, true, false)',
    'mww("x", 1, 60, 10, 0.1, up)', 'mww_nonparametric("x", 1, 5, 10, 1.5)', 'mww_nonparametric("x", 1, 5, 10)',
    'mww("x", 1, 60, 10, 0.1, any) ', 'fft("x", 1)',
} do
    check.fails("could not parse the anomaly_config", anomaly.parse_config, text)
end

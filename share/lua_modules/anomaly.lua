--[=[
# anomaly

Finds anomalies in the columns of circular buffers.

| function | result |
|---|---|
| `parse_config(text)` | the configuration as a table; nil for nil |
| `detect(ns, name, buffer, config)` | a message and its annotations (see the module `annotation`), or nothing |

The configuration is any number of algorithms, separated by white space; `name` is the one of the graph:

    roc("name", col, win, hwin, sd, loss_of_data, start_of_data)
    mww("name", col, win, nwin, pvalue, trend)
    mww_nonparametric("name", col, win, nwin, pstat)

* `roc`, the rate of change, compares the average of the last `win` rows with that of the `win` rows before. It reports a
  difference of more than `sd` standard deviations of the `hwin` rows before those (0: of all older rows), and, if asked
  for by `true`, that data stopped or started coming.
* `mww`, the Mann-Whitney-Wilcoxon test, compares the last `win` rows with each of the other `nwin - 1` windows of that
  length. It reports when more than a quarter of `nwin` differ at the level `pvalue`. `trend` is `decreasing`,
  `increasing` or `any`.
* `mww_nonparametric` takes the mean of the tests' statistics, 0 when all values fell, 1 when all rose, and
  reports when it is beyond `pstat`: below it if that is less than 0.5, above it if that is more.

A quote in a name is doubled. The newest row of the buffer is still being filled and never taken into account.

## Example

    local anomaly = require "anomaly"
    local config = anomaly.parse_config('roc("HTTP Status", 2, 15, 0, 1.5, true, false)')

    function timer_event(ns)
        local message, annotations = anomaly.detect(ns, "HTTP Status", buffer, config)
        -- HTTP Status - algorithm: roc col: 2 msg: detected anomaly, standard deviation exceeds 1.5
    end
--]=]

local annotation = require "annotation"
local lpeg = require "lpeg"
local math = require "math"
local string = require "string"
local table = require "table"

local P, C, Cc, Cg, Cs, Ct = lpeg.P, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Cs, lpeg.Ct

lpeg.locale(lpeg)
local digit, space = lpeg.digit, lpeg.space

local M = {}

local NS_PER_SECOND = 1e9

--[[ Configuration --------------------------------------------------------------------------------------------------]]

local comma = P"," * space ^ 0
local name = P'"' * Cs((P'""' / '"' + (1 - P'"')) ^ 1) * '"'
local integer = digit ^ 1 / tonumber
local number = digit ^ 1 * (P"." * digit ^ 1) ^ -1 / tonumber
local probability = P"0" * (P"." * digit ^ 1) ^ -1 / tonumber
local boolean = P"true" * Cc(true) + P"false" * Cc(false)
local trend = C(P"decreasing" + "increasing" + "any")

--- A call of `algorithm` with the parameters given as pairs of name and pattern.
local function call(algorithm, parameters)
    local pattern = P(algorithm) * "(" * Cg(name, "name") * Cg(Cc(algorithm), "algorithm")
    for _, parameter in ipairs(parameters) do
        pattern = pattern * comma * Cg(parameter[2], parameter[1])
    end
    return Ct(pattern * ")")
end

local roc_call = call("roc", {
    {"col", integer}, {"win", integer}, {"hwin", integer}, {"sd", number}, {"loss_of_data", boolean},
    {"start_of_data", boolean},
})
local mww_call = call("mww", {
    {"col", integer}, {"win", integer}, {"nwin", integer}, {"pvalue", number}, {"trend", trend},
})
local nonparametric_call = call("mww_nonparametric", {
    {"col", integer}, {"win", integer}, {"nwin", integer}, {"pstat", probability},
})

local any_call = roc_call + mww_call + nonparametric_call
local calls = Ct(any_call * (space ^ 0 * any_call) ^ 0) * -1

--- Turns the text of a configuration into a table of lists of algorithms by name.
function M.parse_config(text)
    if text == nil then
        return nil
    end
    local parsed = calls:match(text)
    if not parsed then
        error("could not parse the anomaly_config", 0)
    end
    local config = {}
    for _, algorithm in ipairs(parsed) do
        local algorithms = config[algorithm.name] or {}
        config[algorithm.name] = algorithms
        algorithm.name = nil
        algorithms[#algorithms + 1] = algorithm
    end
    return config
end

--[[ Algorithms -----------------------------------------------------------------------------------------------------]]

-- Each gets the algorithm's parameters and the view of a buffer, and returns the text of an anomaly, or an error.

--- What the algorithms need to know of a buffer; times in nanoseconds.
local function view(buffer)
    local rows, _, seconds_per_row = buffer:get_configuration()
    local interval = seconds_per_row * NS_PER_SECOND
    local newest = buffer:current_time()
    return {buffer = buffer, rows = rows, interval = interval, newest = newest, oldest = newest - (rows - 1) * interval}
end

local function roc(parameters, data)
    local win, hwin, col = parameters.win, parameters.hwin, parameters.col
    if 3 * win >= data.rows or (hwin > 0 and hwin < win) then
        return nil, string.format("win=%d hwin=%d arguments out of range (rows=%d)", win, hwin, data.rows)
    end
    local buffer, interval = data.buffer, data.interval
    local current = data.newest - win * interval
    local previous = current - win * interval
    local history = data.oldest
    if hwin > 0 then
        history = math.max(history, previous - hwin * interval)
    end

    local current_average, current_count = buffer:compute("avg", col, current, data.newest - interval)
    local previous_average, previous_count = buffer:compute("avg", col, previous, current - interval)
    if parameters.loss_of_data and previous_count > 0 and current_count == 0 then
        return "no new data"
    end
    if parameters.start_of_data and previous_count == 0 and current_count > 0 then
        return "unexpected data"
    end
    local deviation = buffer:compute("sd", col, history, previous - interval)
    if math.abs(current_average - previous_average) > parameters.sd * deviation then
        return string.format("detected anomaly, standard deviation exceeds %G", parameters.sd)
    end
end

--- Calls `visit(first, last)` with the bounds of each window before the current one, the latest first. Times so long
--- ago that a double tells nanoseconds apart leave the last window out.
local function each_window(parameters, data, visit)
    local length = parameters.win * data.interval
    local limit = data.newest - parameters.nwin * length + 1
    local first = data.newest - 2 * length
    while first >= limit do
        visit(first, first + length - data.interval)
        first = first - length
    end
end

local function windows_error(parameters, data)
    if parameters.win * parameters.nwin >= data.rows then
        return "arguments out of range"
    end
end

local function mww(parameters, data)
    local out_of_range = windows_error(parameters, data)
    if out_of_range then
        return nil, out_of_range
    end
    local buffer, col, trend = data.buffer, parameters.col, parameters.trend
    local current, current_end = data.newest - parameters.win * data.interval, data.newest - data.interval
    local current_average = buffer:compute("avg", col, current, current_end)

    local function follows_trend(first, last)
        if trend == "any" then
            return true
        end
        local average = buffer:compute("avg", col, first, last)
        if trend == "decreasing" then
            return average > current_average
        end
        return average < current_average
    end

    local hits = 0
    each_window(parameters, data, function(first, last)
        if follows_trend(first, last) then
            local _, p = buffer:mannwhitneyu(col, current, current_end, first, last)
            if p and p < parameters.pvalue then
                hits = hits + 1
            end
        end
    end)
    if hits > parameters.nwin / 4 then
        return trend == "any" and "detected anomaly" or string.format("detected anomaly, %s values", trend)
    end
end

local function mww_nonparametric(parameters, data)
    local out_of_range = windows_error(parameters, data)
    if out_of_range then
        return nil, out_of_range
    end
    local win, threshold = parameters.win, parameters.pstat
    local current, current_end = data.newest - win * data.interval, data.newest - data.interval
    local sum = 0
    each_window(parameters, data, function(first, last)
        local u = data.buffer:mannwhitneyu(parameters.col, current, current_end, first, last)
        if u then
            sum = sum + u / (win * win) - 0.5
        end
    end)
    local pstat = sum / (parameters.nwin - 1) + 0.5
    if (threshold < 0.5 and pstat < threshold) or (threshold > 0.5 and pstat > threshold) then
        return string.format("detected anomaly, pstat: %G", pstat)
    end
end

local function unknown()
    return nil, "unknown algorithm"
end

local ALGORITHMS = {roc = roc, mww = mww, mww_nonparametric = mww_nonparametric}

--[[ Detection ------------------------------------------------------------------------------------------------------]]

local function describe(graph, parameters, text)
    return string.format("%s - algorithm: %s col: %d msg: %s", graph, parameters.algorithm, parameters.col, text)
end

--- Whether it is time again, at most once in the interval of a row.
local function is_due(ns, algorithms, data)
    if not algorithms.last_run then
        algorithms.last_run = 0
        algorithms.interval = data.interval
    end
    if ns > algorithms.last_run and ns - algorithms.last_run >= algorithms.interval then
        algorithms.last_run = ns
        return true
    end
    return false
end

--- Runs the algorithms configured for the graph `name` and moves its buffer on to the time `ns`.
function M.detect(ns, name, buffer, config)
    if buffer:get(ns, 1) == nil then
        buffer:add(ns, 1, 0 / 0)
    end
    local algorithms = config[name]
    if not algorithms then
        return
    end
    local data = view(buffer)
    if not is_due(ns, algorithms, data) then
        return
    end

    local messages, annotations = {}, {}
    for _, parameters in ipairs(algorithms) do
        local text, problem = (ALGORITHMS[parameters.algorithm] or unknown)(parameters, data)
        if problem then
            error(describe(name, parameters, problem), 0)
        end
        if text then
            messages[#messages + 1] = describe(name, parameters, text)
            annotations[#annotations + 1] = annotation.create(data.newest, parameters.col, "A", text)
        end
    end
    if #messages > 0 then
        return table.concat(messages, "\n"), annotations
    end
end

return M

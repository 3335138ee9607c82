--[=[
# annotation

Keeps the annotations of graphs: notes at a point in time of one column, shown by the dashboard.

| function | result |
|---|---|
| `create(ns, col, short_text, text)` | an annotation |
| `add(name, ns, col, short_text, text)` | adds one to the graph called `name` |
| `concat(name, annotations)` | adds all of an array |
| `set_prune(name, ns)` | sets how long annotations are kept; at first one day |
| `prune(name, ns)` | forgets what is too old and returns the rest as a line of JSON |
| `remove(name)` | forgets the graph |

The line goes in front of a circular buffer's text. `prune` returns nothing for a graph that was never named. Everything
is in the global `_ANNOTATIONS`, so that it is kept with preserved data.

## Example

    local annotation = require "annotation"
    annotation.add("HTTP Status", 1.5e9, 2, "A", "anomaly")
    annotation.prune("HTTP Status", 2e9)
    -- {"annotations":[{"text":"anomaly","x":1500,"shortText":"A","col":2}]}
--]=]

local cjson = require "cjson"
local math = require "math"

local M = {}

local NS_PER_MS = 1e6
local ONE_DAY = 24 * 60 * 60 * 1e9

_ANNOTATIONS = _ANNOTATIONS or {}

--- The entry of a graph. Data preserved by old versions is an array with the duration beside its elements.
local function entry(name)
    local known = _ANNOTATIONS[name]
    if known and not known.annotations then
        local annotations = {}
        for i, annotation in ipairs(known) do
            annotations[i] = annotation
        end
        known = {annotations = annotations, prune_duration = known._prune_duration or ONE_DAY}
        _ANNOTATIONS[name] = known
    end
    return known
end

local function entry_or_new(name)
    local known = entry(name)
    if not known then
        known = {annotations = {}, prune_duration = ONE_DAY}
        _ANNOTATIONS[name] = known
    end
    return known
end

function M.create(ns, col, short_text, text)
    return {x = math.floor(ns / NS_PER_MS), col = col, shortText = short_text, text = text}
end

function M.add(name, ns, col, short_text, text)
    local annotations = entry_or_new(name).annotations
    annotations[#annotations + 1] = M.create(ns, col, short_text, text)
end

function M.concat(name, annotations)
    local kept = entry_or_new(name).annotations
    for _, annotation in ipairs(annotations) do
        kept[#kept + 1] = annotation
    end
end

function M.set_prune(name, ns)
    entry_or_new(name).prune_duration = ns
end

function M.remove(name)
    _ANNOTATIONS[name] = nil
end

function M.prune(name, ns)
    local known = entry(name)
    if not known then
        return
    end
    local kept = {}
    for _, annotation in ipairs(known.annotations) do
        if annotation.x * NS_PER_MS + known.prune_duration > ns then
            kept[#kept + 1] = annotation
        end
    end
    known.annotations = kept
    return cjson.encode({annotations = kept}) .. "\n"
end

return M

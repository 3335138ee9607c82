-- Data preserved by old versions: an array with the duration beside its elements.
local check = require "check"
local annotation = require "annotation"

local function old()
    return {_prune_duration = 1e9, {x = 1000, col = 1, shortText = "A", text = "a"}}
end

_ANNOTATIONS = {g = old()}
check.equal(annotation.prune("g", 1.5e9), '{"annotations":[{"text":"a","x":1000,"shortText":"A","col":1}]}\n')

_ANNOTATIONS = {g = old()}
annotation.add("g", 2e9, 1, "B", "b")
check.equal(_ANNOTATIONS.g.prune_duration, 1e9)
check.equal(#_ANNOTATIONS.g.annotations, 2)

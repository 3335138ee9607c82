local check = require "check"
local annotation = require "annotation"

check.equal(annotation.create(1500999999, 2, "A", "long text"), {x = 1500, col = 2, shortText = "A", text = "long text"})

check.equal({annotation.prune("unknown", 0)}, {}, "a graph that was never named")

annotation.add("g", 1500e6, 2, "A", "long text")
annotation.concat("g", {annotation.create(3e9, 1, "B", "b")})
check.equal(annotation.prune("g", 4e9),
    '{"annotations":[{"text":"long text","x":1500,"shortText":"A","col":2},'
    .. '{"text":"b","x":3000,"shortText":"B","col":1}]}\n')

local day = 24 * 3600 * 1e9
check.equal(annotation.prune("g", day + 1500e6), '{"annotations":[{"text":"b","x":3000,"shortText":"B","col":1}]}\n')

annotation.set_prune("g", 1e9)
check.equal(annotation.prune("g", 4e9), '{"annotations":{}}\n')
check.equal(_ANNOTATIONS, {g = {annotations = {}, prune_duration = 1e9}})

annotation.remove("g")
check.equal(annotation.prune("g", 0), nil)

annotation.set_prune("new", 1)
check.equal(annotation.prune("new", 5), '{"annotations":{}}\n', "set_prune names the graph")

--[=[
# lazy

Modules with entries that are made when they are first asked for. Most scripts need few of the grammars that a module
has, and what nobody uses would take memory in every sandbox.

| function | result |
|---|---|
| `entries(module, files, rest)` | `module`, which takes its entry `name` from the module `files[name]`, or else from `rest` |
| `once(module)` | what a file returns in place of its module to be forgotten after each use |
| `load(file)` | the module of a file that may be forgotten after use |

`pairs` meets the entries that were asked for. The names in `files` are in the field `later` of the metatable, and the
file for all others in `rest`, whose module has their names in the same field.

What turns a log format into a grammar is needed once, and is larger than the grammar. A file that ends with
`return lazy.once(M)` is loaded anew whenever it is needed, because to `require` what returned false was never loaded.
Its patterns are kept as entries, its functions are not.
--]=]

local M = {}

-- On its way from a file to the one that loads it.
local handed_over
-- Modules to be forgotten that the collector has not met yet.
local recent = setmetatable({}, {__mode = "v"})

function M.once(module)
    handed_over = module
    return false
end

function M.load(file)
    local module = recent[file]
    if module then
        return module, false
    end
    module = require(file)
    if module then
        return module, true
    end
    module, handed_over = handed_over, nil
    recent[file] = module
    return module, false
end

function M.entries(module, files, rest)
    local function load(_, name)
        local file = files[name] or rest
        if not file then
            return nil
        end
        local from, is_kept = M.load(file)
        local value = from[name]
        if is_kept or type(value) ~= "function" then
            module[name] = value
        end
        return value
    end
    return setmetatable(module, {__index = load, later = files, rest = rest})
end

return M

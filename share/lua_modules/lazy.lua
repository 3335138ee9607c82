--[=[
# lazy

Modules with entries that are made when they are first asked for. Most scripts need few of the grammars that a module
has, and what nobody uses would take memory in every sandbox.

| function | result |
|---|---|
| `entries(module, files)` | `module`, which takes its entry `name` from the module `files[name]` |

`pairs` meets the entries that were asked for. The names of all are in the field `later` of the metatable.
--]=]

local M = {}

function M.entries(module, files)
    local function load(_, name)
        local file = files[name]
        local value = file and require(file)[name]
        module[name] = value
        return value
    end
    return setmetatable(module, {__index = load, later = files})
end

return M

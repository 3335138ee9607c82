--[=[
# heka_message_schema.lua

Documents the messages that pass: which loggers send which types and versions with which fields, and where they
disagree.

## Configuration

None.

## Output

At every tick a payload of type `txt` called `Message Schema`. A field is `optional` if not all messages of its kind
have it, and its type is `mismatch` if they do not agree on it.

## Example

    [SyncMessageSchema]
    type = "SandboxFilter"
    filename = "lua_filters/heka_message_schema.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Logger =~ /^Sync/"

emits

    Logger -> Type -> EnvVersion -> Field Attributes.
    The number in brackets is the number of occurrences of each logger/type/attribute.

    Sync-1_5 [2]
        mozsvc.metrics [2]
             -no version- [2]
                agent (string)
                status (number - optional [1])
--]=]

local table = require "table"

local TITLE = [[
Logger -> Type -> EnvVersion -> Field Attributes.
The number in brackets is the number of occurrences of each logger/type/attribute.

]]

local TYPE_NAMES = {[0] = "string", "string", "number", "number", "bool"}

-- A node of the tree: {count = …, children = {name = node}}. The nodes of fields have a type instead of children.
schema = {count = 0, children = {}}

--- Counts one more occurrence below a node and returns its node.
local function count_child(node, name)
    local child = node.children[name]
    if not child then
        child = {count = 0, children = {}}
        node.children[name] = child
    end
    child.count = child.count + 1
    return child
end

local function header(variable, substitute)
    local value = read_message(variable)
    if not value or value == "" then
        return substitute
    end
    return value
end

local function count_fields(version)
    while true do
        local value_type, name = read_next_field()
        if not value_type then
            return
        end
        local field = count_child(version, name)
        if field.count == 1 then
            field.value_type = value_type
            field.type_name = TYPE_NAMES[value_type] or "unknown"
        elseif field.value_type ~= value_type then
            field.type_name = "mismatch"
        end
    end
end

function process_message()
    local logger = count_child(schema, header("Logger", "-no logger-"))
    local message_type = count_child(logger, header("Type", "-no type-"))
    count_fields(count_child(message_type, header("EnvVersion", "-no version-")))
    return 0
end

--- Calls `visit(name, node)` for the children of a node by their names.
local function each_child(node, visit)
    local names = {}
    for name in pairs(node.children) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        visit(name, node.children[name])
    end
end

local function write_fields(version)
    each_child(version, function(name, field)
        add_to_payload("            ", name, " (", field.type_name)
        if field.count ~= version.count then
            add_to_payload(" - optional [", field.count, "]")
        end
        add_to_payload(")\n")
    end)
end

function timer_event()
    add_to_payload(TITLE)
    each_child(schema, function(logger_name, logger)
        add_to_payload(logger_name, " [", logger.count, "]\n")
        each_child(logger, function(type_name, message_type)
            add_to_payload("    ", type_name, " [", message_type.count, "]\n")
            each_child(message_type, function(version_name, version)
                add_to_payload("         ", version_name, " [", version.count, "]\n")
                write_fields(version)
            end)
        end)
    end)
    inject_payload("txt", "Message Schema")
end

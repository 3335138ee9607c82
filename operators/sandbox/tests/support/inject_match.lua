-- What `inject_match` means, in plain Lua: the host's must give the same messages.
local HEADERS = {
    Uuid = true, Timestamp = true, Type = true, Logger = true, Severity = true, Payload = true, EnvVersion = true,
    Pid = true, Hostname = true,
}

function inject_match(grammar, subject, template, places)
    local captured = grammar:match(subject or read_message("Payload"))
    if captured == nil then
        return false
    end
    local fields, message = {}, {}
    for name, value in pairs(template or {}) do
        message[name] = value
    end
    for name, value in pairs(message.Fields or {}) do
        fields[type(name) == "number" and value.name or name] = value
    end
    message.Fields = fields

    local function place_of(name)
        if places then
            local place = places[name]
            return place == nil and "" or place
        end
        return (HEADERS[name] or name == "Fields") and name or ""
    end

    local function spread(entries)
        for name, value in pairs(entries) do
            local place = place_of(name)
            if place == "" then
                fields[name] = value
            elseif place == "Fields" then
                if type(value) == "table" then
                    spread(value)
                end
            elseif type(place) == "function" then
                for made, made_value in pairs(place(value) or {}) do
                    (HEADERS[made] and message or fields)[made] = made_value
                end
            elseif place then
                local header = place:match("^(%a+)%+$")
                message[header or place] = value
                if header then
                    fields[name] = value
                end
            end
        end
    end
    spread(captured)
    inject_message(message)
    return true
end

function match_decoder(grammar, template, places, keeps_payload)
    local message = {}
    for name, value in pairs(template or {}) do
        message[name] = value
    end
    return function()
        if keeps_payload then
            message.Payload = read_message("Payload")
        end
        return inject_match(grammar, nil, message, places) and 0 or -1
    end
end

-- Named assertions for the files beside this one. `finish()` gives the failures as one text.

local failures, names = {}, {}

local function show(value)
  if type(value) == "string" then return string.format("%q", value) end
  if type(value) ~= "table" then return type(value) == "function" and "function" or tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = show(key) .. "=" .. show(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function show_all(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, " ")
end

local function note(name, expected, got)
  if names[name] then failures[#failures + 1] = "two assertions are named '" .. name .. "'" end
  names[name] = true
  if expected ~= got then
    failures[#failures + 1] = name .. "\n    expected " .. expected .. "\n    got      " .. got
  end
end

-- `values` are what comes after the name; the expected ones are written as `is` shows them: `is("name", "1 \"a\"", f())`.
function is(name, expected, ...) note(name, expected, show_all(...)) end

-- The error of a call, without the place it happened at. The name of a function called by `pcall` is not known to Lua.
function fails(name, expected, f, ...)
  local ok, text = pcall(f, ...)
  local function plain(message) return (message:gsub("^[^:]*:%d+: ", ""):gsub("^(bad argument #%d+ to )'[^']*'", "%1'?'")) end
  note(name, plain(expected), ok and "no error" or plain(tostring(text)))
end

function finish()
  local count = 0
  for _ in pairs(names) do count = count + 1 end
  if #failures > 0 then error(#failures .. " of " .. count .. " assertions\n" .. table.concat(failures, "\n"), 0) end
  return tostring(count)
end

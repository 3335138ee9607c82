-- expect: ok
function process_message()
 local t = {a = 1}
 local n = 0
 for k in pairs(t) do n = n + 1 t[k .. "x"] = 1 if n > 1000 then error("endless") end end
 return 0
end

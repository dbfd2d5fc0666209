/** The name of the scripts, and of the dynamic metadata that they share. */
export const noted = "isoline.ingress_nginx";

/**
 * The phases of nginx that no field of Envoy provides. Text of objects is only in the context of a route, never in the
 * script. A filter before the router notes that a request has passed all protections: a 401 without this note is from a
 * protection.
 */
export const phasesScript = `local function escape(text)
  return (string.gsub(text, "[^%w%-%._~]", function(c) return string.format("%%%02X", string.byte(c)) end))
end

function envoy_on_request(handle)
  local context = handle:filterContext()
  local headers = handle:headers()
  local limit = context:get("body_limit")
  local length = tonumber(headers:get("content-length") or "")
  if limit ~= nil and length ~= nil and length > limit then
    handle:respond({[":status"] = "413"}, "")
    return
  end
  local host = headers:get(":authority") or ""
  local path = headers:get(":path") or "/"
  local scheme = headers:get("x-forwarded-proto") or "http"
  if context:get("original_forwarded") ~= nil then
    local given = headers:get("x-forwarded-for") or ""
    local before = string.match(given, "^(.*),[^,]*$")
    headers:remove("x-original-forwarded-for")
    headers:remove("x-original-forwarded-host")
    if before ~= nil then headers:add("x-original-forwarded-for", before) end
    local forwarded = headers:get("x-forwarded-host")
    if forwarded ~= nil then headers:add("x-original-forwarded-host", forwarded) end
  end
  local answered = context:get("answered")
  if answered ~= nil then
    for _, name in pairs(answered) do headers:remove(name) end
  end
  if context:get("asks") ~= nil then
    headers:replace("x-original-url", scheme .. "://" .. host .. path)
    headers:replace("x-original-method", headers:get(":method") or "GET")
    headers:replace("x-auth-request-redirect", path)
  end
  local sign_in = context:get("sign_in")
  if sign_in ~= nil then
    local values = {
      host = (string.gsub(host, ":%d+$", "")),
      http_host = host,
      scheme = scheme,
      request_uri = path,
      escaped_request_uri = escape(path),
    }
    local url = ""
    for _, part in ipairs(sign_in) do
      if part["text"] ~= nil then url = url .. part["text"] else url = url .. (values[part["variable"]] or "") end
    end
    local append = context:get("append")
    if append ~= nil then url = url .. append .. scheme .. "://" .. host .. escape(path) end
    handle:streamInfo():dynamicMetadata():set("${noted}", "sign_in", url)
  end
end

local function refused(handle, context, headers)
  local data = handle:streamInfo():dynamicMetadata():get("${noted}") or {}
  if data["passed"] ~= nil then return end
  if data["sign_in"] ~= nil then
    headers:replace(":status", "302")
    headers:replace("location", data["sign_in"])
    headers:remove("www-authenticate")
    return
  end
  local realm = context:get("realm")
  local given = headers:get("www-authenticate")
  if realm ~= nil and given ~= nil and string.sub(given, 1, 5) == "Basic" then
    headers:replace("www-authenticate", 'Basic realm="' .. realm .. '"')
  end
end

local function relocate(headers, how)
  local scheme, host, rest = string.match(headers:get("location") or "", "^(https?://)([^/?]*)(.*)$")
  if scheme == nil then return end
  if how["strip_port"] ~= nil then host = string.gsub(host, ":%d+$", "") end
  if how["strip_slash"] ~= nil and string.sub(rest, -1) == "/" then rest = string.sub(rest, 1, -2) end
  if how["relative"] ~= nil then headers:replace("location", rest) else headers:replace("location", scheme .. host .. rest) end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local context = handle:filterContext()
  if headers:get(":status") == "401" then refused(handle, context, headers) end
  local location = context:get("location")
  if location ~= nil then relocate(headers, location) end
end
`;

/** Changes responses of backends, and replaces some by those of another backend. */
export const answersScript = `function envoy_on_request(handle)
  if handle:filterContext():get("error_pages") == nil then return end
  local headers = handle:headers()
  local noted = handle:streamInfo():dynamicMetadata()
  noted:set("${noted}", "host", headers:get(":authority") or "")
  noted:set("${noted}", "path", headers:get(":path") or "/")
  noted:set("${noted}", "accept", headers:get("accept") or "")
  noted:set("${noted}", "id", headers:get("x-request-id") or "")
  noted:set("${noted}", "client", string.match(headers:get("x-forwarded-for") or "", "([^, ]+)%s*$") or "")
end

local successes = {
  ["200"] = true, ["201"] = true, ["204"] = true, ["206"] = true, ["301"] = true, ["302"] = true, ["303"] = true, ["304"] = true,
  ["307"] = true, ["308"] = true,
}

local function replaced(text, change)
  if change == nil or string.sub(text, 1, #change["from"]) ~= change["from"] then return text end
  return change["to"] .. string.sub(text, #change["from"] + 1)
end

local function cookie(text, answers)
  local expires = answers["expires"]
  if expires ~= nil and string.match(text, '^([^=]*)="[%w%+/=]+";') == expires["cookie"] then
    return text .. os.date("!; Expires=%a, %d %b %Y %H:%M:%S GMT", os.time() + expires["seconds"])
  end
  return (string.gsub(text, "(;%s*)([^=;]*)(=)([^;]*)", function(space, name, equals, value)
    local key = string.lower((string.gsub(name, "%s", "")))
    if key == "path" then value = replaced(value, answers["cookie_path"]) end
    local domain = answers["cookie_domain"]
    if key == "domain" and domain ~= nil then
      local dot, rest = string.match(value, "^(%.?)(.*)$")
      if string.lower(rest) == domain["from"] then value = dot .. domain["to"] end
    end
    return space .. name .. equals .. value
  end))
end

local function answered(headers, answers)
  local change = answers["redirect"]
  local location = headers:get("location")
  if change ~= nil and location ~= nil then headers:replace("location", replaced(location, change)) end
  local refresh = headers:get("refresh")
  if change ~= nil and refresh ~= nil then
    local before, url = string.match(refresh, "^(.-[uU][rR][lL]=)(.*)$")
    if url ~= nil then headers:replace("refresh", before .. replaced(url, change)) end
  end
  if answers["cookies"] ~= nil and headers:get("set-cookie") ~= nil then
    local cookies = {}
    for key, value in pairs(headers) do
      if key == "set-cookie" then table.insert(cookies, cookie(value, answers)) end
    end
    headers:remove("set-cookie")
    for _, one in ipairs(cookies) do headers:add("set-cookie", one) end
  end
  if answers["success_headers"] ~= nil and successes[headers:get(":status")] then
    for _, one in ipairs(answers["success_headers"]) do headers:add(one["name"], one["value"]) end
  end
end

local described = {"content-type", "content-encoding", "content-length", "etag", "last-modified", "location", "www-authenticate"}

local function replace_body(handle, text)
  local size = handle:body(true):setBytes(text)
  handle:headers():replace("content-length", tostring(size))
end

local function paged(handle, pages)
  local headers = handle:headers()
  local status = headers:get(":status")
  local is_own = headers:get("x-envoy-upstream-service-time") == nil
  local code = nil
  if pages["codes"][status] ~= nil and (is_own or pages["own_only"] == nil) then code = status end
  local is_lost = false
  if status == "503" and is_own then
    local body = handle:body(true)
    is_lost = body:getBytes(0, body:length()) == "no healthy upstream"
  end
  if code == nil and not is_lost then return end
  local data = handle:streamInfo():dynamicMetadata():get("${noted}") or {}
  local question = {
    [":method"] = "GET",
    [":path"] = is_lost and data["path"] or "/",
    [":authority"] = data["host"],
    ["x-code"] = code or "503",
    ["x-format"] = data["accept"],
    ["x-original-uri"] = data["path"],
    ["x-request-id"] = data["id"],
    ["x-forwarded-for"] = data["client"],
  }
  for name, value in pairs(pages["headers"]) do question[name] = value end
  -- Envoy keeps the body for its replacement only if it is read before the call.
  handle:body(true)
  local given, body = handle:httpCall(pages["cluster"], question, nil, 60000)
  headers = handle:headers()
  for _, name in ipairs(described) do headers:remove(name) end
  for name, value in pairs(given) do
    if name == ":status" or string.sub(name, 1, 1) ~= ":" and name ~= "transfer-encoding" and name ~= "connection" then headers:replace(name, value) end
  end
  replace_body(handle, body or "")
end

function envoy_on_response(handle)
  local context = handle:filterContext()
  local pages = context:get("error_pages")
  if pages ~= nil then paged(handle, pages) end
  local answers = context:get("answers")
  if answers ~= nil then answered(handle:headers(), answers) end
end
`;

/**
 * Reads bodies of unknown length before they are sent on. It runs after all protections, so that only clients with
 * access can fill buffers. gRPC and upgraded connections are streams without an end.
 */
export const bodiesScript = `function envoy_on_request(handle)
  local limit = handle:filterContext():get("buffered_limit")
  local headers = handle:headers()
  if limit == nil or headers:get("content-length") ~= nil or headers:get("upgrade") ~= nil then return end
  if string.sub(headers:get("content-type") or "", 1, 16) == "application/grpc" then return end
  local body = handle:body()
  if body == nil then return end
  if body:length() > limit then
    handle:respond({[":status"] = "413"}, "")
  else
    handle:headers():replace("content-length", tostring(body:length()))
  end
end
`;

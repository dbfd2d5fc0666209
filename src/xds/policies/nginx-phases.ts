import { type ChainFilter, configOf, facts, type WrittenPolicy } from "./policy.js";

const lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3" as const;
const noted = "isoline.ingress_nginx";

/**
 * The phases of nginx that no field of Envoy provides. Text of objects is only in the context of a route, never in the
 * script. A filter before the router notes that a request has passed all protections: a 401 without this note is from a
 * protection.
 */
const source = `local function escape(text)
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

function envoy_on_response(handle)
  local headers = handle:headers()
  if headers:get(":status") ~= "401" then return end
  local data = handle:streamInfo():dynamicMetadata():get("${noted}") or {}
  if data["passed"] ~= nil then return end
  local context = handle:filterContext()
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
`;

const filter: ChainFilter = {
  name: "isoline.ingress_nginx",
  stage: "request",
  disabled: true,
  write: ({ settings }) =>
    settings.ingressNginx
      ? { "@type": `${lua}.Lua`, source_codes: { [noted]: { inline_string: source } } }
      : undefined,
};

export const passedFilter: ChainFilter = {
  name: "isoline.passed",
  stage: "passed",
  write: ({ settings }) =>
    settings.ingressNginx
      ? {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
          metadata: [{ metadata_namespace: noted, allow_overwrite: true, value: { passed: true } }],
        }
      : undefined,
};

export const nginxPhases: WrittenPolicy<"nginxPhases"> = {
  filter,
  write: {
    route({ bodyLimit, originalForwarded, realm, asks, askedHeaders, signIn }) {
      const context = {
        ...(bodyLimit === undefined ? {} : { body_limit: bodyLimit }),
        ...(originalForwarded ? { original_forwarded: true } : {}),
        ...(realm === undefined ? {} : { realm }),
        ...(asks ? { asks: true } : {}),
        ...(askedHeaders?.length ? { answered: askedHeaders } : {}),
        ...(signIn
          ? {
              sign_in: signIn.parts.map((part) => ({ ...part })),
              ...(signIn.append ? { append: signIn.append } : {}),
            }
          : {}),
      };
      if (Object.keys(context).length === 0) return {};
      return {
        filters: { [filter.name]: { "@type": `${lua}.LuaPerRoute`, name: noted, filter_context: context } },
      };
    },
  },
  describe(shown) {
    const context = configOf(shown, filter.name, `${lua}.LuaPerRoute`)?.filter_context;
    const limit = context?.body_limit;
    return facts({
      "request body": typeof limit === "number" && `${limit} bytes at most by Content-Length`,
      "sign-in": context?.sign_in !== undefined && "401 of the authorization leads to a sign-in page",
    });
  },
};

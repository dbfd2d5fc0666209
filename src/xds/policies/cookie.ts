import type { Route } from "../../graph/core/nodes.js";
import type { CookieRewrite } from "../../graph/policies/cookie.js";
import { typed } from "../typed.js";
import { type ChainFilter, type FilterConfigs, facts, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.lua.v3" as const;

/** The name of the script in the Lua filter. */
const cookieScript = "cookie_rewrite.lua";

/** The rules for the script in its filter context. The script itself never contains text of users. */
function writeRules(rewrites: readonly CookieRewrite[]): FilterConfigs {
  const rules = rewrites.map(({ name, path, domain, secure, sameSite }) => {
    const rule = {
      ...(path === undefined ? {} : { path }),
      ...(domain === undefined ? {} : { domain }),
      ...(secure === undefined ? {} : { secure }),
      ...(sameSite === undefined ? {} : { same_site: sameSite }),
    };
    return [name, rule] as const;
  });
  return {
    [filter.name]: {
      "@type": `${types}.LuaPerRoute`,
      name: cookieScript,
      filter_context: { rules: Object.fromEntries(rules) },
    },
  };
}

/**
 * Rewrites the attributes of `Set-Cookie` headers by the rules for the cookie's name. Attributes keep their order; new
 * ones come last. Names of attributes are case-insensitive (RFC 6265 §5.2).
 */
const cookieSource = `local function rewrite(cookie, rules)
  local name = string.match(cookie, "^%s*([^=;]*)=")
  local rule = name and rules[name]
  if rule == nil then return cookie end
  local wanted = {}
  if rule["path"] ~= nil then wanted["path"] = "Path=" .. rule["path"] end
  if rule["domain"] ~= nil then wanted["domain"] = "Domain=" .. rule["domain"] end
  if rule["secure"] == true then wanted["secure"] = "Secure" end
  if rule["same_site"] ~= nil then wanted["samesite"] = "SameSite=" .. rule["same_site"] end
  local parts = {}
  for part in string.gmatch(cookie, "[^;]+") do
    local text = string.match(part, "^%s*(.-)%s*$")
    local key = string.lower(string.match(text, "^([^=]*)"))
    if #parts == 0 then
      table.insert(parts, text)
    elseif key == "secure" and rule["secure"] == false then
      text = nil
    elseif wanted[key] ~= nil then
      table.insert(parts, wanted[key])
      wanted[key] = nil
    elseif text ~= "" then
      table.insert(parts, text)
    end
  end
  for _, key in ipairs({"path", "domain", "secure", "samesite"}) do
    if wanted[key] ~= nil then table.insert(parts, wanted[key]) end
  end
  return table.concat(parts, "; ")
end

function envoy_on_response(handle)
  local rules = handle:filterContext():get("rules")
  if rules == nil or handle:headers():get("set-cookie") == nil then return end
  local cookies = {}
  for key, value in pairs(handle:headers()) do
    if key == "set-cookie" then table.insert(cookies, rewrite(value, rules)) end
  end
  handle:headers():remove("set-cookie")
  for _, cookie in ipairs(cookies) do handle:headers():add("set-cookie", cookie) end
end
`;

const rewritesCookies = ({ action }: Route): boolean =>
  action.kind === "forward" && action.backends.some(({ policies }) => policies.cookieRewrites !== undefined);

const filter: ChainFilter = {
  name: "envoy.filters.http.lua",
  stage: "cookies",
  /** The script is long: chains of a host without cookie rewrites omit it. */
  write: ({ host }) =>
    host && !host.routes.some(rewritesCookies)
      ? undefined
      : { "@type": `${types}.Lua`, source_codes: { [cookieScript]: { inline_string: cookieSource } } },
};

export const cookieRewrites: WrittenPolicy<"cookieRewrites"> = {
  filter,
  write: {
    /** The rules of a backend include those of its route. */
    route: () => ({}),
    service: (rewrites) => ({ typed_per_filter_config: writeRules(rewrites) }),
  },
  describe: () => [],
  describeService(backend, name) {
    const script = typed(backend.typed_per_filter_config?.[filter.name], `${types}.LuaPerRoute`);
    return facts({ [`cookies of ${name}`]: script && JSON.stringify(script.filter_context?.rules) });
  },
};

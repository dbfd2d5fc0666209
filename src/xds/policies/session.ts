import type { StatefulSession } from "../../gen/envoy.js";
import type { Route } from "../../graph/core/nodes.js";
import type { Session } from "../../graph/policies/session.js";
import { servesGateways } from "../../schema/gateway-settings.js";
import { duration } from "../duration.js";
import { typed } from "../typed.js";
import { type Chain, type ChainFilter, type FilterConfigs, facts, type WrittenPolicy } from "./policy.js";

const filters = "type.googleapis.com/envoy.extensions.filters.http" as const;
const states = "type.googleapis.com/envoy.extensions.http.stateful_session" as const;

const hasSessions = ({ action }: Route): boolean =>
  action.kind === "forward" && action.backends.some(({ policies }) => policies.session);

/** Chains of a host without sessions omit the filters. */
const isNeeded = ({ settings, host }: Chain): boolean =>
  servesGateways(settings) && (!host || host.routes.some(hasSessions));

/** Sends the requests of a session to its endpoint. An endpoint that is gone is replaced by another one. */
const filter: ChainFilter = {
  name: "envoy.filters.http.stateful_session",
  stage: "session",
  disabled: true,
  write: (chain) =>
    isNeeded(chain) ? { "@type": `${filters}.stateful_session.v3.StatefulSession` } : undefined,
};

/** The name of the script in its Lua filter. */
const lifetimeScript = "session_lifetime.lua";

/**
 * Removes `Max-Age` from a cookie that Envoy sets: it writes the time of a session both into the value, which it checks,
 * and into this attribute, which would keep the cookie after the client ends.
 */
const lifetimeSource = `function envoy_on_response(handle)
  local name = handle:filterContext():get("cookie")
  if name == nil or handle:headers():get("set-cookie") == nil then return end
  local cookies = {}
  for key, value in pairs(handle:headers()) do
    if key == "set-cookie" then
      if string.sub(value, 1, #name + 1) == name .. "=" then
        value = string.gsub(value, ";%s*[Mm]ax%-[Aa]ge=%d+", "")
      end
      table.insert(cookies, value)
    end
  end
  handle:headers():remove("set-cookie")
  for _, cookie in ipairs(cookies) do handle:headers():add("set-cookie", cookie) end
end
`;

const lifetimeFilter: ChainFilter = {
  name: "isoline.session_lifetime",
  stage: "cookies",
  disabled: true,
  write: (chain) =>
    isNeeded(chain)
      ? {
          "@type": `${filters}.lua.v3.Lua`,
          source_codes: { [lifetimeScript]: { inline_string: lifetimeSource } },
        }
      : undefined,
};

/** The filters of sessions that no policy has. */
export const sessionFilters: readonly ChainFilter[] = [lifetimeFilter];

const writeState = ({ kind, name, path, seconds, secure }: Session): StatefulSession["session_state"] =>
  kind === "header"
    ? {
        name: "envoy.http.stateful_session.header",
        typed_config: { "@type": `${states}.header.v3.HeaderBasedSessionState`, name },
      }
    : {
        name: "envoy.http.stateful_session.cookie",
        typed_config: {
          "@type": `${states}.cookie.v3.CookieBasedSessionState`,
          cookie: {
            name,
            ...(path === undefined ? {} : { path }),
            ...(seconds === undefined ? {} : { ttl: duration(seconds * 1000) }),
            attributes: [{ name: "SameSite", value: "Strict" }, ...(secure ? [{ name: "Secure" }] : [])],
          },
        },
      };

function writeSession(session: Session): FilterConfigs {
  return {
    [filter.name]: {
      "@type": `${filters}.stateful_session.v3.StatefulSessionPerRoute`,
      stateful_session: { session_state: writeState(session) },
    },
    ...(session.isSessionCookie && session.seconds !== undefined
      ? {
          [lifetimeFilter.name]: {
            "@type": `${filters}.lua.v3.LuaPerRoute`,
            name: lifetimeScript,
            filter_context: { cookie: session.name },
          },
        }
      : {}),
  };
}

export const session: WrittenPolicy<"session"> = {
  filter,
  write: { service: (value) => ({ typed_per_filter_config: writeSession(value) }) },
  describeService(backend, name) {
    const config = typed(
      backend.typed_per_filter_config?.[filter.name],
      `${filters}.stateful_session.v3.StatefulSessionPerRoute`,
    );
    const state = config?.stateful_session?.session_state?.typed_config;
    const header = typed(state, `${states}.header.v3.HeaderBasedSessionState`);
    const cookie = typed(state, `${states}.cookie.v3.CookieBasedSessionState`)?.cookie;
    return facts({
      [`session of ${name}`]: header
        ? `header ${header.name}`
        : cookie &&
          `cookie ${cookie.name}${cookie.path ? ` for ${cookie.path}` : ""}${cookie.ttl ? `, ${cookie.ttl}` : ""}`,
    });
  },
};

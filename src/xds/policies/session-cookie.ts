import { duration } from "../duration.js";
import { type ChainFilter, configOf, facts, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3" as const;
const cookieState =
  "type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState" as const;

/** Disabled unless a route enables it. */
const filter: ChainFilter = {
  name: "envoy.filters.http.stateful_session",
  stage: "session",
  disabled: true,
  write: ({ settings, host }) =>
    settings.ingressNginx &&
    (host === undefined || host.routes.some(({ policies }) => policies.sessionCookie !== undefined))
      ? { "@type": `${types}.StatefulSession` }
      : undefined,
};

export const sessionCookie: WrittenPolicy<"sessionCookie"> = {
  filter,
  write: {
    route: ({ name, path, seconds, attributes }) => ({
      filters: {
        [filter.name]: {
          "@type": `${types}.StatefulSessionPerRoute`,
          stateful_session: {
            session_state: {
              name: "envoy.http.stateful_session.cookie",
              typed_config: {
                "@type": cookieState,
                cookie: {
                  name,
                  path,
                  ttl: duration(seconds * 1000),
                  ...(attributes ? { attributes } : {}),
                },
              },
            },
          },
        },
      },
    }),
  },
  describe(shown) {
    const state = configOf(shown, filter.name, `${types}.StatefulSessionPerRoute`)?.stateful_session;
    return facts({ session: state && "a cookie names the endpoint" });
  },
};

import { duration } from "../duration.js";
import { configOf, facts, type WrittenPolicy } from "./policy.js";
import { statefulSession } from "./stateful-session.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3" as const;
const cookieState =
  "type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState" as const;

export const sessionCookie: WrittenPolicy<"sessionCookie"> = {
  write: {
    route: ({ name, path, seconds, attributes }) => ({
      filters: {
        [statefulSession.name]: {
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
    const state = configOf(shown, statefulSession.name, `${types}.StatefulSessionPerRoute`)?.stateful_session;
    return facts({ session: state && "a cookie names the endpoint" });
  },
};

import type { Route } from "../../graph/core/nodes.js";
import { servesGateways } from "../../schema/gateway-settings.js";
import type { Chain, ChainFilter } from "./policy.js";

const type = "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession" as const;

const hasBackendSessions = ({ action }: Route): boolean =>
  action.kind === "forward" && action.backends.some(({ policies }) => policies.session);
const hasCookie = ({ policies }: Route): boolean => policies.sessionCookie !== undefined;

/** Whether routes of a chain may have sessions of backends. Chains of a host without sessions omit the filters. */
export const mayHaveBackendSessions = ({ settings, host }: Chain): boolean =>
  host ? host.routes.some(hasBackendSessions) : servesGateways(settings);

const mayHaveCookies = ({ settings, host }: Chain): boolean =>
  host ? host.routes.some(hasCookie) : settings.ingressNginx !== undefined;

/**
 * Sends the requests of a session to its endpoint. An endpoint that is gone is replaced by another one. Two policies
 * configure it: `session` for backends of the Gateway API, `sessionCookie` for routes of ingress-nginx.
 */
export const statefulSession: ChainFilter = {
  name: "envoy.filters.http.stateful_session",
  stage: "session",
  disabled: true,
  write: (chain) => (mayHaveBackendSessions(chain) || mayHaveCookies(chain) ? { "@type": type } : undefined),
};

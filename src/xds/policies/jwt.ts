import type { JwtAuthentication } from "../../gen/envoy.js";
import type { JwksServer, JwtProvider } from "../../graph/policies/jwt.js";
import { duration } from "../duration.js";
import { httpFilter } from "../typed.js";
import { type ChainFilter, configOf, facts, type ShownRoute, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3" as const;

/** Verifies tokens. The filter has one requirement for each provider, with the provider's name. */
function writeFilter(
  providers: readonly JwtProvider[],
  clusterOf: (server: JwksServer) => string,
): JwtAuthentication {
  const written = providers.map((provider) => {
    const { name, issuer, audiences, forward, keys } = provider;
    const source =
      keys.kind === "local"
        ? { local_jwks: { inline_bytes: btoa(keys.jwks) } }
        : {
            remote_jwks: {
              http_uri: {
                uri: keys.uri,
                cluster: clusterOf(keys.server),
                timeout: duration(keys.timeoutMs),
              },
              ...(keys.cacheMs === undefined ? {} : { cache_duration: duration(keys.cacheMs) }),
            },
          };
    return [
      name,
      {
        ...(issuer ? { issuer } : {}),
        ...(audiences.length > 0 ? { audiences } : {}),
        ...(forward ? { forward } : {}),
        ...source,
      },
    ] as const;
  });
  return {
    providers: Object.fromEntries(written),
    requirement_map: Object.fromEntries(providers.map(({ name }) => [name, { provider_name: name }])),
  };
}

const filter: ChainFilter = {
  name: "envoy.filters.http.jwt_authn",
  stage: "token",
  write({ host }) {
    // A route may require a provider that does not exist: its requests are refused.
    if (!host || !(host.policies.jwt || host.routes.some(({ policies }) => policies.jwt))) return undefined;
    const { providers = [] } = host.policies.jwt ?? {};
    return { "@type": `${types}.JwtAuthentication`, ...writeFilter(providers, host.clusterOf) };
  },
};

const requirementOf = (shown: ShownRoute): string | undefined =>
  configOf(shown, filter.name, `${types}.PerRouteConfig`)?.requirement_name;

/** A route requires a token of the provider. */
export const jwt: WrittenPolicy<"jwt"> = {
  filter,
  write: {
    host: () => ({}),
    route: (provider) => ({
      filters: {
        [filter.name]: { "@type": `${types}.PerRouteConfig`, requirement_name: provider },
      },
    }),
  },
  describe(shown) {
    const requirement = requirementOf(shown);
    if (requirement === undefined) return [];
    const found = httpFilter(shown.manager, filter.name, `${types}.JwtAuthentication`);
    const provider = found?.providers?.[requirement];
    const issuer = provider?.issuer ? ` (issuer ${provider.issuer})` : "";
    const audiences = provider?.audiences?.length ? ` for ${provider.audiences.join(", ")}` : "";
    return facts({ JWT: `a token of ${requirement}${issuer}${audiences}` });
  },
  protections(shown) {
    const requirement = requirementOf(shown);
    return requirement === undefined ? {} : { jwt: requirement };
  },
};

import { type ChainFilter, configOf, facts, type ShownRoute, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3" as const;

/** Envoy requires at least one user; no password has this hash. */
const placeholder = `placeholder:{SHA}${"A".repeat(27)}=`;

/** Disabled unless a route enables it. */
const filter: ChainFilter = {
  name: "envoy.filters.http.basic_auth",
  stage: "password",
  disabled: true,
  write: ({ settings }) =>
    settings.ingressNginx
      ? { "@type": `${types}.BasicAuth`, users: { inline_string: placeholder } }
      : undefined,
};

const isAsked = (shown: ShownRoute): boolean =>
  configOf(shown, filter.name, `${types}.BasicAuthPerRoute`) !== undefined;

export const basicAuth: WrittenPolicy<"basicAuth"> = {
  filter,
  write: {
    route: ({ users }) => ({
      filters: {
        // Bytes, because these are hidden from viewers who may not see keys.
        [filter.name]: {
          "@type": `${types}.BasicAuthPerRoute`,
          users: { inline_bytes: btoa(users.join("\n")) },
        },
      },
    }),
  },
  describe: (shown) => facts({ password: isAsked(shown) && "asks for a user and a password" }),
  protections: (shown) => (isAsked(shown) ? { password: true } : {}),
};

import { basicAuthUsers } from "../../../schema/htpasswd.js";
import { isErrorStatus } from "../../../schema/status-code.js";
import { secretName } from "../../certificates/secret.js";
import type { Reader } from "../../core/reader.js";
import type { RoutePolicies } from "../../policies/index.js";
import type { NginxPhases } from "../../policies/nginx-phases.js";
import type { LocalRateLimit } from "../../policies/rate-limit.js";
import { readAddresses } from "./addresses.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import { readAuthUrl } from "./auth-url.js";
import type { NginxLocation } from "./locations.js";
import { isUnder } from "./redirects.js";

export interface NginxAccess {
  readonly policies: Pick<RoutePolicies, "authorization" | "basicAuth" | "ipFilter" | "localRateLimit">;
  readonly phases: Pick<NginxPhases, "realm" | "signIn" | "askedHeaders" | "asks">;
  /** Request headers that backends do not get. */
  readonly remove: readonly string[];
}

/** A placeholder for the users of an assumed Secret; no password has this hash. */
const assumedUser = `assumed:{SHA}${"A".repeat(27)}=`;

/** Reads the checks of a location. A check that can't be applied refuses the paths of its Ingress (`Notes.refusal`). */
export function readAccess(
  location: NginxLocation,
  context: NginxHostContext,
  snippets: Parameters<typeof readAddresses>[2],
  notes: Notes,
): NginxAccess {
  const { values, ingress } = location.of;
  const { options } = context.config;
  const isOpen = isUnder(location.path, options["no-auth-locations"]);
  const basicAuth = isOpen ? undefined : readBasicAuth(location, context.reader, notes);
  const asked = isOpen ? undefined : readAuthUrl(location, context, notes);
  const ipFilter = readAddresses(location, context, snippets, notes);
  const localRateLimit = readRates(location, context, notes);
  if (values.satisfy === "any" && [basicAuth, asked, ipFilter].filter(Boolean).length > 1)
    notes.refuse(
      "satisfy",
      "satisfy: any lets requests in that pass one check of several, which Envoy can't",
    );
  readFirewall(values, notes);
  if (values["auth-snippet"]) notes.refuse("auth-snippet", "auth-snippet is nginx's own configuration");
  if (values["auth-proxy-set-headers"] && asked)
    notes.refuse(
      "auth-proxy-set-headers",
      "headers of a ConfigMap for the authorization service are not read",
    );
  return {
    policies: {
      ...(basicAuth ? { basicAuth } : {}),
      ...(asked ? { authorization: { ask: asked.ask } } : {}),
      ...(ipFilter ? { ipFilter } : {}),
      ...(localRateLimit ? { localRateLimit } : {}),
    },
    phases: {
      ...(basicAuth ? { realm: values["auth-realm"] ?? "" } : {}),
      ...(asked ? { asks: true as const, askedHeaders: asked.answered } : {}),
      ...(asked?.signIn ? { signIn: asked.signIn } : {}),
    },
    remove: [
      ...(basicAuth ? ["authorization"] : []),
      ...(asked ? ["x-original-url", "x-original-method", "x-auth-request-redirect"] : []),
    ],
  };

  function readBasicAuth(
    { of: { values } }: NginxLocation,
    reader: Reader,
    notes: Notes,
  ): RoutePolicies["basicAuth"] | undefined {
    const kind = values["auth-type"];
    if (kind === undefined) {
      if (values["auth-secret"])
        notes.ignore("auth-secret", "auth-secret has no effect without auth-type: no password is asked for");
      return undefined;
    }
    if (kind !== "basic")
      return notes.refuse(
        "auth-type",
        `auth-type ${JSON.stringify(kind.slice(0, 40))} is none that Envoy has`,
      );
    const name = values["auth-secret"];
    if (!name) return notes.refuse("auth-type", "auth-type needs auth-secret");
    const secret = secretName(name, ingress.meta.namespace);
    if (secret.namespace !== ingress.meta.namespace)
      return notes.refuse("auth-secret", "auth-secret is of another namespace");
    const object = reader.get("Secret", secret.namespace, secret.name);
    if (!object)
      return notes.refuse(
        "auth-secret",
        `Secret ${secret.namespace}/${secret.name} not found`,
        "NginxReferenceUnresolved",
      );
    // An assumed Secret has placeholder content.
    if (object.meta.assumed) return { users: [assumedUser] };
    const { users, others } = basicAuthUsers(object.spec.data, values["auth-secret-type"] ?? "auth-file");
    if (others > 0)
      notes.ignore(
        "auth-secret",
        `${others} users of Secret ${secret.namespace}/${secret.name} have hashes that Envoy does not take and can't log in; use {SHA}`,
      );
    if (users.length === 0)
      return notes.refuse(
        "auth-secret",
        `Secret ${secret.namespace}/${secret.name} has no user with a {SHA} hash`,
      );
    return { users };
  }
}

/** ModSecurity. Without `enable-modsecurity` its other annotations have no effect, as in ingress-nginx. */
function readFirewall(values: NginxLocation["of"]["values"], notes: Notes): void {
  const { "modsecurity-snippet": rules, "enable-modsecurity": isOn } = values;
  if (!isOn) {
    for (const name of ["modsecurity-snippet", "enable-owasp-core-rules"] as const)
      if (values[name])
        notes.ignore(name, `${name} has no effect without enable-modsecurity: nothing is refused`);
    return;
  }
  const engines = [...(rules ?? "").matchAll(/^\s*SecRuleEngine\s+"?(\w+)"?\s*$/gim)].map(([, mode = ""]) =>
    mode.toLowerCase(),
  );
  const isHarmless =
    engines.length > 0 && engines.every((mode) => mode === "detectiononly" || mode === "off");
  if (isHarmless && !/^\s*Include|ctl:/im.test(rules ?? ""))
    notes.ignore(
      "enable-modsecurity",
      "enable-modsecurity: its rules refuse nothing, and nothing is reported",
    );
  else notes.refuse("enable-modsecurity", "there is no web application firewall");
}

const maxTokens = 1_000_000_000;

/** Reads `limit-rps` and `limit-rpm`. Each Envoy counts each path and client separately. */
function readRates(
  { of: { values } }: NginxLocation,
  { config }: NginxHostContext,
  notes: Notes,
): LocalRateLimit | undefined {
  const multiplier = values["limit-burst-multiplier"] ?? 5;
  const rates = (
    [
      ["limit-rps", 1000],
      ["limit-rpm", 60_000],
    ] as const
  ).flatMap(([annotation, intervalMs]) => {
    const requests = values[annotation];
    if (requests === undefined || requests <= 0) return [];
    const burst = requests * Math.max(0, multiplier) + 1 - requests;
    if (requests * (multiplier + 1) > maxTokens) {
      notes.refuse(annotation, `${annotation} is too large`);
      return [];
    }
    return [{ requests, burst: Math.max(0, burst), intervalMs }];
  });
  const [first] = rates;
  if (!first) return undefined;
  const status = config.options["limit-req-status-code"] ?? 503;
  return { ...first, status: isErrorStatus(status) ? status : 503, headers: [], perAddress: rates };
}

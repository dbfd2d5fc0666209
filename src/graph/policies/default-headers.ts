import { canonicalHeader } from "../../schema/header-names.js";
import type { SettingsSpec } from "../../schema/settings.js";
import {
  type DynamicValues,
  type HeadersFields,
  type HeadersPolicy,
  headerFormat,
  readHeadersPolicy,
} from "./header-values.js";

type Defaults = SettingsSpec["policy"]["requestHeaders"];
type Kind = "request" | "response";

const defaultsOf = ({ policy }: SettingsSpec, kind: Kind): Defaults =>
  kind === "request" ? policy.requestHeaders : policy.responseHeaders;

const isEmpty = ({ set, remove }: Defaults): boolean => {
  for (const _ in set) return false;
  return remove.length === 0;
};

/**
 * The header policy of one service of an HTTPProxy: its own, and the headers that the settings add to every service.
 */
export function readServiceHeaders(
  fields: HeadersFields | undefined,
  kind: Kind,
  dynamic: DynamicValues,
  settings: SettingsSpec,
): ReturnType<typeof readHeadersPolicy> {
  const own = readHeadersPolicy(fields, kind, dynamic);
  const defaults = defaultsOf(settings, kind);
  return own.error || isEmpty(defaults) ? own : { policy: merge(own.policy, defaults, dynamic) };
}

/** The header policies of a service without its own (of an IngressRoute): those of the settings. */
export function defaultHeaders(
  settings: SettingsSpec,
  dynamic: DynamicValues,
): { readonly requestHeaders?: HeadersPolicy; readonly responseHeaders?: HeadersPolicy } {
  const request = readServiceHeaders(undefined, "request", dynamic, settings).policy;
  const response = readServiceHeaders(undefined, "response", dynamic, settings).policy;
  return {
    ...(request ? { requestHeaders: request } : {}),
    ...(response ? { responseHeaders: response } : {}),
  };
}

/** The same for a service of an Ingress, if the settings apply to Ingress. */
export const ingressHeaders = (
  settings: SettingsSpec,
  dynamic: DynamicValues,
): ReturnType<typeof defaultHeaders> =>
  settings.policy.applyToIngress ? defaultHeaders(settings, dynamic) : {};

/**
 * A header that the object sets, or a Host that it rewrites, takes precedence. Settings are validated when they are
 * read.
 */
function merge(own: HeadersPolicy | undefined, defaults: Defaults, dynamic: DynamicValues): HeadersPolicy {
  const set = new Map<string, string>();
  let { host } = own ?? {};
  for (const [key, value] of Object.entries(defaults.set)) {
    const name = canonicalHeader(key);
    if (name !== "Host") set.set(name, headerFormat(value, dynamic));
    else if (!own?.hostFromHeader) host ??= value;
  }
  for (const { name, value } of own?.set ?? []) set.set(name, value);
  return {
    ...own,
    set: [...set].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value })),
    remove: [...new Set([...(own?.remove ?? []), ...defaults.remove.map(canonicalHeader)])].sort(),
    ...(host ? { host } : {}),
  };
}

import type { Policy, RouteContext } from "./policy.js";

/** New attributes for a `Set-Cookie` header of one name; absent attributes stay unchanged. */
export interface CookieRewrite {
  readonly name: string;
  readonly path?: string;
  readonly domain?: string;
  /** False removes the attribute. */
  readonly secure?: boolean;
  readonly sameSite?: "Strict" | "Lax" | "None";
}

interface CookieFields {
  readonly name: string;
  readonly pathRewrite?: { readonly value: string };
  readonly domainRewrite?: { readonly value: string };
  readonly secure?: boolean;
  readonly sameSite?: "Strict" | "Lax" | "None";
}

/** Reads `cookieRewritePolicies` of a route or service: unique names, each with an attribute to rewrite. */
function readCookieRewrites(fields: readonly CookieFields[] | undefined): {
  rewrites?: readonly CookieRewrite[];
  error?: string;
} {
  if (!fields?.length) return {};
  const names = new Set<string>();
  const rewrites: CookieRewrite[] = [];
  for (const { name, pathRewrite, domainRewrite, secure, sameSite } of fields) {
    if (names.has(name)) return { error: `duplicate cookie rewrite rule for cookie "${name}"` };
    names.add(name);
    const attributes = {
      ...(pathRewrite ? { path: pathRewrite.value } : {}),
      ...(domainRewrite ? { domain: domainRewrite.value } : {}),
      ...(secure === undefined ? {} : { secure }),
      ...(sameSite ? { sameSite } : {}),
    };
    if (Object.keys(attributes).length === 0)
      return { error: `no attributes rewritten for cookie "${name}"` };
    rewrites.push({ name, ...attributes });
  }
  return { rewrites };
}

/** Merges the rules of a route and of one of its services by name; the service's attributes take precedence. */
function mergeCookieRewrites(
  route: readonly CookieRewrite[],
  service: readonly CookieRewrite[],
): readonly CookieRewrite[] {
  const merged = new Map<string, CookieRewrite>();
  for (const rewrite of [...route, ...service]) {
    merged.set(rewrite.name, { ...merged.get(rewrite.name), ...rewrite });
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Rewrites = readonly CookieRewrite[];

function readRules(
  fields: readonly CookieFields[] | undefined,
  { fail }: RouteContext,
  what: string,
  at: string,
): Rewrites | undefined {
  const { rewrites, error } = readCookieRewrites(fields);
  if (!error) return rewrites;
  const message = `${error} on ${what} cookie rewrite rules`;
  return fail("RouteError", "CookieRewritePoliciesInvalid", message, `${at}.cookieRewritePolicies`);
}

/** `cookieRewritePolicies` of a route and of its services; the rules of a service include those of the route. */
export const cookieRewrites: Policy<{ route: Rewrites; service: Rewrites }> = {
  protects: false,
  fields: { route: ["cookieRewritePolicies"], service: ["cookieRewritePolicies"] },
  read: {
    route: (context) => readRules(context.route.cookieRewritePolicies, context, "route", ""),
    service({ of, service, at }, route = []) {
      const own = readRules(service.cookieRewritePolicies, of, "service", at) ?? [];
      if (route.length + own.length === 0) return undefined;
      return mergeCookieRewrites(route, own);
    },
  },
};

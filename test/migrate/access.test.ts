import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { fc } from "../support/fast-check.js";
import { asker, migrated } from "../support/migration.js";

type Manifest = Readonly<Record<string, unknown>>;

/** How a peer restricts a path: objects beside the route, and what the route says. */
interface Restriction {
  readonly name: string;
  /** Whether an HTTPProxy can say it. */
  readonly isKept: boolean;
  readonly beside: readonly Manifest[];
  readonly route: unknown;
}

interface PeerRules {
  readonly restrictions: readonly Restriction[];
  /** Prefixes are of text, and not of whole segments. */
  readonly isText?: true;
  /** The objects of a host with these paths; undefined stands for an open one. */
  manifests(paths: readonly (readonly [path: string, restriction: Restriction | undefined])[]): Manifest[];
}

const host = "access.example.com";
const meta = (name: string): Manifest => ({ name, namespace: "shop" });

const annotated = (
  prefix: string,
  cls: string,
  annotations: Readonly<Record<string, Manifest>>,
): PeerRules => ({
  restrictions: Object.entries(annotations).map(([name, own]) => ({
    name,
    isKept: /source-range$/.test(name),
    beside: [],
    route: own,
  })),
  manifests: (paths) =>
    paths.map(([path, restriction], i) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        ...meta(`i${i}`),
        annotations: Object.fromEntries(
          Object.entries((restriction?.route ?? {}) as Manifest).map(([name, value]) => [
            `${prefix}${name}`,
            value,
          ]),
        ),
      },
      spec: {
        ingressClassName: cls,
        rules: [
          {
            host,
            http: {
              paths: [
                { path, pathType: "Prefix", backend: { service: { name: `s${i}`, port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    })),
});

const nginx = annotated("nginx.ingress.kubernetes.io/", "nginx", {
  "auth-type": { "auth-type": "basic", "auth-secret": "users" },
  "auth-url": { "auth-url": "http://auth.auth.svc/check" },
  "whitelist-source-range": { "whitelist-source-range": "192.0.2.0/24" },
  "denylist-source-range": { "denylist-source-range": "198.51.100.0/24" },
  "wrong list": { "whitelist-source-range": "anybody" },
  satisfy: { satisfy: "any", "whitelist-source-range": "192.0.2.0/24" },
  modsecurity: { "enable-modsecurity": "true" },
  snippet: { "configuration-snippet": "deny all;" },
  "snippet with a condition": { "configuration-snippet": 'if ($http_x_key != "k") { return 403; }' },
});

const middleware = (name: string, isKept: boolean, spec: Manifest): Restriction => ({
  name,
  isKept,
  beside: [{ apiVersion: "traefik.io/v1alpha1", kind: "Middleware", metadata: meta(name), spec }],
  route: name,
});

const traefik: PeerRules = {
  isText: true,
  restrictions: [
    middleware("basic", false, { basicAuth: { secret: "users" } }),
    middleware("digest", false, { digestAuth: { secret: "users" } }),
    middleware("forward", false, { forwardAuth: { address: "http://auth/verify" } }),
    middleware("office", true, { ipAllowList: { sourceRange: ["192.0.2.0/24"] } }),
    middleware("plugin", false, { plugin: { waf: { mode: "block" } } }),
    middleware("unknown", false, { newAuth: { secret: "users" } }),
    { name: "missing", isKept: false, beside: [], route: "missing" },
    { name: "file", isKept: false, beside: [], route: "auth@file" },
  ],
  manifests: (paths) => [
    {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: meta("all"),
      spec: {
        entryPoints: ["web"],
        routes: paths.map(([path, restriction], i) => ({
          kind: "Rule",
          match: `Host(\`${host}\`) && PathPrefix(\`${path}\`)`,
          services: [{ name: `s${i}`, port: 80 }],
          ...(restriction ? { middlewares: [{ name: restriction.route }] } : {}),
        })),
      },
    },
    ...paths.flatMap(([, restriction]) => restriction?.beside ?? []),
  ],
};

const plugin = (name: string, isKept: boolean, config: Manifest): Restriction => ({
  name,
  isKept,
  beside: [
    {
      apiVersion: "configuration.konghq.com/v1",
      kind: "KongPlugin",
      metadata: meta(name),
      plugin: name,
      config,
    },
  ],
  route: { "konghq.com/plugins": name },
});

const kong: PeerRules = {
  restrictions: [
    plugin("key-auth", false, { key_names: ["k"] }),
    plugin("ip-restriction", true, { allow: ["192.0.2.0/24"] }),
    plugin("acl", false, { allow: ["staff"] }),
    plugin("my-own-plugin", false, {}),
    { name: "missing", isKept: false, beside: [], route: { "konghq.com/plugins": "missing" } },
    { name: "snis", isKept: false, beside: [], route: { "konghq.com/snis": "a.example.com" } },
    { name: "unknown", isKept: false, beside: [], route: { "konghq.com/only-for": "staff" } },
  ],
  manifests: (paths) => [
    ...annotated("", "kong", {}).manifests(paths),
    ...paths.flatMap(([, restriction]) => restriction?.beside ?? []),
  ],
};

const gloo: PeerRules = {
  isText: true,
  restrictions: [
    "extauth",
    "jwt",
    "rbac",
    "waf",
    "csrf",
    "ratelimit",
    "stagedTransformations",
    "newGuard",
  ].map((name) => ({
    name,
    isKept: false,
    beside: [],
    route: { [name]: { some: "value" } },
  })),
  manifests: (paths) => [
    {
      apiVersion: "gateway.solo.io/v1",
      kind: "VirtualService",
      metadata: meta("all"),
      spec: {
        virtualHost: {
          domains: [host],
          routes: [...paths]
            .sort(([a], [b]) => b.length - a.length)
            .map(([path, restriction], i) => ({
              matchers: [{ prefix: path }],
              routeAction: { single: { kube: { ref: { name: `s${i}`, namespace: "shop" }, port: 80 } } },
              ...(restriction ? { options: restriction.route } : {}),
            })),
        },
      },
    },
  ],
};

const peers: Readonly<Record<string, PeerRules>> = { nginx, traefik, kong, gloo };
const allPaths = ["/", "/a", "/ab", "/a/b", "/c/d"];

describe.each(Object.entries(peers))("%s", (_, { restrictions, manifests, isText = false }) => {
  const chosen = fc.tuple(
    ...allPaths.map((path) =>
      fc.record({
        path: fc.constant(path),
        isThere: fc.boolean(),
        restriction: fc.option(fc.constantFrom(...restrictions), { nil: undefined }),
      }),
    ),
  );

  it.each(["httpproxy", "gateway"] as const)("loses no restriction without an error, to %s", (to) => {
    fc.assert(
      fc.property(chosen, (all) => {
        const paths = all.flatMap(({ path, isThere, restriction }) =>
          isThere ? [[path, restriction] as const] : [],
        );
        const input = manifests(paths).map((one) => stringify(one));
        const { text, report } = migrated(input.join("---\n"), to);
        const ask = asker(text, to);
        const remarks = report.hosts.flatMap((one) => one.remarks);
        const isTold = remarks.some(({ severity }) => severity === "error");
        for (const { asked, name, isKept } of requestsOf(paths, isText)) {
          const { outcome, applied } = ask("GET", `http://${host}${asked}`);
          const isOpen = outcome === "forward" && applied?.protections.addresses === undefined;
          expect([name, asked, isOpen]).toEqual([name, asked, false]);
          expect([name, isTold || (isKept && to === "httpproxy")]).toEqual([name, true]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Requests that a restricted path takes: the path, one below it, and one that goes on with its text. */
function requestsOf(
  paths: readonly (readonly [string, Restriction | undefined])[],
  isText: boolean,
): (Restriction & { readonly asked: string })[] {
  return paths.flatMap(([path, restriction]) => {
    if (!restriction) return [];
    const below = path === "/" ? "/zz" : `${path}/zz`;
    return [path, below, ...(isText ? [`${path}zz`] : [])].flatMap((asked) => {
      const own = paths.filter(([other]) =>
        isText ? asked.startsWith(other) : `${asked}/`.startsWith(`${other.replace(/\/$/, "")}/`),
      );
      const closest = own.reduce((a, b) => (b[0].length > a[0].length ? b : a));
      return closest[0] === path ? [{ ...restriction, asked }] : [];
    });
  });
}

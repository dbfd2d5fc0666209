import { certificate, certificateFile, type Manifest, secret, tlsSecret } from "./backend.js";
import { type Answer, request } from "./http.js";
import { moreIngresses, moreProbes } from "./nginx-more-probes.js";

const prefix = "nginx.ingress.kubernetes.io/";

export interface NginxPath {
  readonly path?: string;
  readonly type?: "Prefix" | "Exact" | "ImplementationSpecific";
  readonly to?: string;
}

export interface NginxIngress {
  readonly name: string;
  readonly namespace?: string;
  readonly host?: string;
  readonly paths?: readonly NginxPath[];
  /** Without the prefix. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The Secret with the host's certificate. */
  readonly tls?: string;
  readonly defaultBackend?: string;
  readonly created?: string;
}

const backend = (name: string): Manifest => ({ service: { name, port: { number: 80 } } });

/** An Ingress of class nginx; without paths it has one, `/` (Prefix), to the Service `web`. */
export function nginxIngress(one: NginxIngress): Manifest {
  const { name, namespace = "default", host, annotations = {}, tls, defaultBackend } = one;
  const paths = one.paths ?? [{}];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      namespace,
      name,
      creationTimestamp: one.created ?? "2026-01-01T00:00:00Z",
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [prefix + key, value]),
      ),
    },
    spec: {
      ingressClassName: "nginx",
      ...(defaultBackend ? { defaultBackend: backend(defaultBackend) } : {}),
      ...(tls ? { tls: [{ hosts: [host], secretName: tls }] } : {}),
      rules: [
        {
          ...(host === undefined ? {} : { host }),
          ...(paths.length > 0
            ? {
                http: {
                  paths: paths.map(({ path = "/", type = "Prefix", to = "web" }) => ({
                    path,
                    pathType: type,
                    backend: backend(to),
                  })),
                },
              }
            : {}),
        },
      ],
    },
  };
}

/** The hash of the password `secret`. */
const shaOfSecret = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

const later = "2026-02-01T00:00:00Z";
const basic = { "auth-type": "basic", "auth-secret": "pw", "auth-realm": "R" };
const canary = { canary: "true", "canary-by-header": "X-C", "canary-weight": "0" };
const asking = {
  "auth-url": "http://auth.default.svc.cluster.local/check",
  "auth-signin": "http://$host/login",
  "auth-response-headers": "X-User",
};

const ingresses: readonly NginxIngress[] = [
  { name: "p1", host: "a.test", tls: "secure" },
  { name: "p2", host: "b.test", annotations: { "force-ssl-redirect": "true" } },
  { name: "p3", host: "c.test", tls: "secure", annotations: { "ssl-redirect": "false" } },
  { name: "p4", host: "d.test", paths: [{ path: "/foo" }, { to: "api" }] },
  { name: "p5", host: "e.test", paths: [{ path: "/foo/" }] },
  { name: "p6", host: "f.test", paths: [{ path: "/foo", type: "Exact" }] },
  {
    name: "p6b",
    host: "f.test",
    paths: [{ path: "/bar", type: "ImplementationSpecific", to: "api" }],
    annotations: { "use-regex": "true" },
    created: later,
  },
  {
    name: "p7",
    host: "g.test",
    paths: [{ path: "/something(/|$)(.*)", type: "ImplementationSpecific" }],
    annotations: { "use-regex": "true", "rewrite-target": "/$2" },
  },
  { name: "p8", host: "h.test", paths: [{ path: "/foo" }], annotations: { "rewrite-target": "/" } },
  { name: "p9", host: "i.test", annotations: { "rewrite-target": "/" } },
  { name: "p10", host: "j.test", paths: [{ path: "/foo/bar/bar" }] },
  {
    name: "p10b",
    host: "j.test",
    paths: [{ path: "/foo/bar/[a-z]{3}", type: "ImplementationSpecific", to: "api" }],
    annotations: { "use-regex": "true", "rewrite-target": "/new" },
    created: later,
  },
  {
    name: "p11",
    host: "k.test",
    paths: [{ path: "/old" }],
    annotations: { "permanent-redirect": "https://www.x.test/new" },
  },
  {
    name: "p12",
    host: "l.test",
    annotations: { "temporal-redirect": "https://t.x.test", "permanent-redirect": "https://p.x.test" },
  },
  {
    name: "p13",
    host: "m.test",
    tls: "secure",
    annotations: { "permanent-redirect": "https://x.test", "permanent-redirect-code": "308" },
  },
  { name: "p14", host: "n.test", annotations: { "app-root": "/ui" } },
  { name: "p15", host: "o.test", annotations: { "from-to-www-redirect": "true" } },
  { name: "p16", host: "p.test", annotations: basic },
  { name: "p17", host: "p17.test", annotations: { ...basic, "auth-secret": "missing" } },
  { name: "p18", host: "p18.test", annotations: { "auth-secret": "pw", "auth-realm": "R" } },
  { name: "p19", host: "p19.test", paths: [{ path: "/admin" }], annotations: basic },
  { name: "p20", host: "q.test", annotations: asking },
  { name: "p21", host: "r.test", annotations: { "whitelist-source-range": "192.0.2.0/24" } },
  { name: "p22", host: "s.test", annotations: { "denylist-source-range": "not-an-ip" } },
  {
    name: "p23",
    host: "t.test",
    annotations: {
      "enable-cors": "true",
      "cors-allow-origin": "https://*.x.test",
      "auth-type": "basic",
      "auth-secret": "pw",
    },
  },
  { name: "p24", host: "u.test" },
  { name: "p24b", host: "u.test", paths: [{ to: "new" }], annotations: canary, created: later },
  { name: "p25", host: "u25.test" },
  {
    name: "p25b",
    host: "u25.test",
    paths: [{ to: "new" }],
    annotations: { ...canary, "canary-by-header-value": "v2", "canary-by-cookie": "cc" },
    created: later,
  },
  {
    name: "p26",
    host: "v.test",
    paths: [{ to: "new" }],
    annotations: { canary: "true", "canary-weight": "100" },
  },
  {
    name: "p27",
    host: "w.test",
    annotations: { affinity: "cookie", "session-cookie-name": "SID", "session-cookie-max-age": "100" },
  },
  { name: "p28", host: "x.test", annotations: { "limit-rps": "1", "limit-burst-multiplier": "2" } },
  { name: "p29", host: "y.test", annotations: { ...basic, "proxy-body-size": "8k" } },
  { name: "p30", host: "z.test", paths: [{ to: "empty" }] },
  { name: "p31", host: "aa.test", annotations: { "upstream-vhost": "inner.x", "x-forwarded-prefix": "/p" } },
  { name: "p32", host: "ab.test", annotations: { "server-alias": "ac.test" } },
  { name: "p33", host: "*.ad.test" },
  { name: "p34", host: "ae.test", paths: [{ path: "/x" }] },
  { name: "p34b", namespace: "other", host: "ae.test", paths: [{ path: "/x", to: "api" }], created: later },
  { name: "p35", host: "af.test", paths: [{ to: "slow" }] },
  {
    name: "p36",
    host: "ag.test",
    annotations: { "configuration-snippet": 'more_set_headers "X-Frame-Options: DENY";' },
  },
  { name: "p37", host: "ah.test", annotations: { "server-snippet": "location /metrics { deny all; }" } },
  { name: "p38", host: "ai.test", paths: [{ path: "/a", type: "ImplementationSpecific" }] },
  { name: "p39", host: "aj.test", paths: [], defaultBackend: "web" },
  {
    name: "p40",
    host: "ak.test",
    tls: "secure",
    annotations: { "auth-tls-secret": "default/ca", "auth-tls-pass-certificate-to-upstream": "true" },
  },
];

export const probeSettings: Manifest = {
  serverHeaderTransformation: "pass_through",
  ingressNginx: { configMap: "ingress-nginx/controller" },
};

/** The Ingresses that are asked about, and what they refer to but for Services. */
export const probeObjects: readonly Manifest[] = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "ingress-nginx", name: "controller" },
    data: { "allow-snippet-annotations": "true" },
  },
  tlsSecret("default", "secure"),
  secret("default", "pw", { auth: `u:${shaOfSecret}\n` }),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
  ...[...ingresses, ...moreIngresses].map(nginxIngress),
];

export interface Probe {
  readonly id: string;
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly tls?: boolean;
  /** The client shows a certificate. */
  readonly client?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The client's address. */
  readonly from?: string;
  readonly status: number;
  /** The backend that answers, by its Service. */
  readonly service?: string;
  /** The path that it gets. */
  readonly backendPath?: string;
  readonly backendHost?: string;
  /** Headers that it gets; null: not. */
  readonly backendHeaders?: Readonly<Record<string, string | RegExp | null>>;
  /** Headers of the answer; null: none. */
  readonly answer?: Readonly<Record<string, string | RegExp | null>>;
}

const password = { authorization: `Basic ${Buffer.from("u:secret").toString("base64")}` };
const cors = {
  "access-control-allow-origin": "https://a.x.test",
  "access-control-allow-credentials": "true",
  "access-control-max-age": "1728000",
};
const fromOrigin = { origin: "https://a.x.test" };

/** The requests of the table, with what ingress-nginx answers or, where docs/ingress-nginx.md says so, what differs. */
export const probes: readonly Probe[] = [
  { id: "1a", host: "a.test", path: "/x/", status: 308, answer: { location: "https://a.test/x" } },
  {
    id: "1b",
    host: "a.test",
    tls: true,
    status: 200,
    answer: { "strict-transport-security": "max-age=31536000; includeSubDomains", server: null },
  },
  { id: "1c", host: "a.test", method: "POST", path: "/x", status: 308 },
  { id: "1d", host: "a.test", path: "/.well-known/acme-challenge/t", status: 308 },
  { id: "2a", host: "b.test", status: 308, answer: { location: "https://b.test" } },
  {
    id: "3a",
    host: "c.test",
    status: 200,
    backendHeaders: { "x-forwarded-proto": "http", "x-forwarded-port": "80", "x-scheme": "http" },
  },
  {
    id: "3b",
    host: "c.test",
    headers: { "x-forwarded-for": "1.2.3.4" },
    status: 200,
    backendHeaders: {
      "x-forwarded-for": "127.0.0.1",
      "x-real-ip": "127.0.0.1",
      "x-forwarded-host": "c.test",
      "x-original-forwarded-host": null,
    },
  },
  {
    id: "3c",
    host: "c.test",
    headers: { "x-forwarded-for": "1.2.3.4" },
    status: 200,
    backendHeaders: { "x-original-forwarded-for": "1.2.3.4" },
  },
  { id: "4a", host: "d.test", path: "/foobar", status: 200, service: "api" },
  { id: "4b", host: "d.test", path: "/foo", status: 200, service: "web" },
  { id: "4b/", host: "d.test", path: "/foo/", status: 200, service: "web" },
  { id: "5a", host: "e.test", path: "/foo", status: 301, answer: { location: "http://e.test/foo/" } },
  { id: "6a", host: "f.test", path: "/FOO/x", status: 200, service: "web" },
  { id: "6b", host: "f.test", path: "/barx", status: 200, service: "api" },
  { id: "7a", host: "g.test", path: "/something", status: 200, backendPath: "/" },
  { id: "7b", host: "g.test", path: "/something/new?a=b", status: 200, backendPath: "/new?a=b" },
  { id: "7c", host: "g.test", path: "/SOMETHING/x", status: 200, backendPath: "/x" },
  { id: "7d", host: "g.test", path: "/something-else", status: 404 },
  { id: "8a", host: "h.test", path: "/foo/bar?q=1", status: 200, backendPath: "/?q=1" },
  { id: "8b", host: "h.test", path: "/foobar", status: 200, backendPath: "/" },
  { id: "9a", host: "i.test", path: "/a/b", status: 200, backendPath: "/a/b" },
  { id: "10a", host: "j.test", path: "/foo/bar/bar", status: 200, service: "api", backendPath: "/new" },
  {
    id: "11a",
    host: "k.test",
    path: "/old/y?z=1",
    status: 301,
    answer: { location: "https://www.x.test/new" },
  },
  {
    id: "11b",
    host: "k.test",
    path: "/elsewhere",
    status: 301,
    answer: { location: "https://www.x.test/new" },
  },
  { id: "12a", host: "l.test", status: 302, answer: { location: "https://t.x.test" } },
  { id: "13a", host: "m.test", status: 308, answer: { location: "https://x.test" } },
  { id: "14a", host: "n.test", status: 302, answer: { location: "http://n.test/ui" } },
  { id: "14a2", host: "n.test", path: "/other", status: 200 },
  { id: "15a", host: "www.o.test", path: "/foo", status: 308, answer: { location: "http://o.test:80/foo" } },
  { id: "16a", host: "p.test", status: 401, answer: { "www-authenticate": 'Basic realm="R"' } },
  { id: "16b", host: "p.test", headers: password, status: 200, backendHeaders: { authorization: null } },
  { id: "17a", host: "p17.test", status: 503 },
  { id: "18a", host: "p18.test", status: 200 },
  { id: "19a", host: "p19.test", status: 401 },
  {
    id: "20a",
    host: "q.test",
    path: "/?a=b&c=d",
    headers: { "x-auth": "401" },
    status: 302,
    answer: { location: "http://q.test/login?rd=http://q.test%2F%3Fa%3Db%26c%3Dd" },
  },
  {
    id: "20b",
    host: "q.test",
    headers: { "x-auth": "200", "x-auth-user": "jo", "x-user": "x" },
    status: 200,
    backendHeaders: { "x-user": "jo", "x-original-url": null },
  },
  {
    id: "20c",
    host: "q.test",
    headers: { "x-auth": "200", "x-user": "x" },
    status: 200,
    backendHeaders: { "x-user": null },
  },
  { id: "21a", host: "r.test", status: 403 },
  { id: "21a2", host: "r.test", headers: { "x-forwarded-for": "192.0.2.1" }, status: 403 },
  { id: "22a", host: "s.test", status: 503 },
  { id: "23a", host: "t.test", method: "OPTIONS", headers: fromOrigin, status: 204, answer: cors },
  { id: "23b", host: "t.test", headers: fromOrigin, status: 401, answer: cors },
  {
    id: "23c",
    host: "t.test",
    headers: { origin: "https://a.b.x.test" },
    status: 401,
    answer: { "access-control-allow-origin": null },
  },
  { id: "24a", host: "u.test", headers: { "x-c": "always" }, status: 200, service: "new" },
  { id: "24a2", host: "u.test", headers: { "x-c": "never" }, status: 200, service: "web" },
  { id: "24a3", host: "u.test", headers: { "x-c": "other" }, status: 200, service: "web" },
  { id: "25a", host: "u25.test", headers: { "x-c": "v2" }, status: 200, service: "new" },
  { id: "25a2", host: "u25.test", headers: { "x-c": "always" }, status: 200, service: "web" },
  {
    id: "25b",
    host: "u25.test",
    headers: { "x-c": "other", cookie: "a=b; cc=always" },
    status: 200,
    service: "new",
  },
  { id: "26a", host: "v.test", status: 404 },
  {
    id: "27a",
    host: "w.test",
    status: 200,
    answer: { "set-cookie": /^SID="?[^;]+; Max-Age=100; Path=\/; HttpOnly$/i },
  },
  { id: "29a", host: "y.test", method: "POST", body: "x".repeat(9000), status: 413 },
  { id: "30a", host: "z.test", status: 503 },
  {
    id: "31a",
    host: "aa.test",
    status: 200,
    backendHost: "inner.x",
    backendHeaders: { "x-forwarded-host": "aa.test", "x-forwarded-prefix": null },
  },
  { id: "32a", host: "ac.test", status: 200, service: "web" },
  { id: "33a", host: "x.ad.test", status: 200, service: "web" },
  { id: "33a2", host: "y.x.ad.test", status: 404 },
  { id: "33a3", host: "ad.test", status: 404 },
  { id: "34a", host: "ae.test", path: "/x", status: 200, service: "web" },
  { id: "36a", host: "ag.test", status: 200, answer: { "x-frame-options": "DENY" } },
  { id: "37a", host: "ah.test", path: "/metrics", status: 403 },
  { id: "37a2", host: "ah.test", path: "/", status: 200 },
  { id: "38a", host: "ai.test", path: "/ab", status: 404 },
  { id: "39a", host: "aj.test", path: "/any", status: 200, service: "web" },
  {
    id: "40b",
    host: "ak.test",
    tls: true,
    client: true,
    status: 200,
    backendHeaders: { "ssl-client-verify": "SUCCESS", "ssl-client-cert": /^-----BEGIN%20CERTIFICATE/ },
  },
  ...moreProbes,
];

/** Sends the request of a probe to the listeners on these ports. */
export function askProbe(
  { httpPort, httpsPort }: { readonly httpPort: number; readonly httpsPort?: number },
  { host, path = "/", method = "GET", tls, client, headers = {}, body, from }: Omit<Probe, "id" | "status">,
): Promise<Answer> {
  return request({
    port: tls ? (httpsPort ?? 0) : httpPort,
    host,
    path,
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(from === undefined ? {} : { from }),
    ...(tls ? { sni: host } : {}),
    ...(client ? { client: certificate("client") } : {}),
  });
}

type Headers = Readonly<Record<string, string | RegExp | null>>;

/** Headers as far as a probe speaks of them: those that it compares with a pattern are as they should be where they match. */
function picked(found: Readonly<Record<string, unknown>>, wanted: Headers = {}): Headers {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => {
      const text = [found[name] ?? []].flat().join(", ");
      if (value instanceof RegExp && value.test(text)) return [name, value];
      return [name, text === "" ? null : text];
    }),
  );
}

/** What an answer is, as far as a probe speaks of it. */
export function seen(probe: Probe, answer: Answer): Partial<Probe> {
  const isEcho = (answer.headers["content-type"] ?? "").startsWith("application/json");
  const echo = isEcho ? answer.echo() : undefined;
  return {
    id: probe.id,
    status: answer.status,
    ...(probe.service ? { service: echo?.service ?? "" } : {}),
    ...(probe.backendPath ? { backendPath: echo?.path ?? "" } : {}),
    ...(probe.backendHost ? { backendHost: echo?.host ?? "" } : {}),
    ...(probe.backendHeaders ? { backendHeaders: picked(echo?.headers ?? {}, probe.backendHeaders) } : {}),
    ...(probe.answer ? { answer: picked(answer.headers, probe.answer) } : {}),
  };
}

/** What it should be. */
export const wanted = ({
  id,
  status,
  service,
  backendPath,
  backendHost,
  backendHeaders,
  answer,
}: Probe): Partial<Probe> => ({
  id,
  status,
  ...(service ? { service } : {}),
  ...(backendPath ? { backendPath } : {}),
  ...(backendHost ? { backendHost } : {}),
  ...(backendHeaders ? { backendHeaders } : {}),
  ...(answer ? { answer } : {}),
});

import type { NginxIngress, Probe } from "./nginx-probes.js";

const snippet = (text: string): NginxIngress["annotations"] => ({ "configuration-snippet": text });

/** Ingresses of what is beside the table of `nginx-probes.ts`: snippets, bodies without a length, redirects. */
export const moreIngresses: readonly NginxIngress[] = [
  {
    name: "m1",
    host: "m1.test",
    paths: [{ path: "/dashboard" }],
    annotations: snippet("rewrite ^(/dashboard)$ $1/ redirect;"),
  },
  {
    name: "m2",
    host: "m2.test",
    annotations: {
      ...snippet(`
        if ($request_uri = "/old") { return 302 https://$host/new; }
        if ($uri = "/s3") {
          return 308 /s3/;
        }
        if ($http_user_agent ~* (crawler|bot)) { return 403; }
        if ($request_method = TRACE) { return 405; }
        rewrite ^/docs/(.*)$ https://docs.test/$1 permanent;
        proxy_set_header X-From $http_x_given;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header Authorization $http_authorization;
        proxy_set_header Connection "upgrade"; # for websockets
        proxy_set_header X-Where "$scheme://$host$request_uri";
        add_header X-All yes always;
      `),
    },
  },
  {
    name: "m3",
    host: "m3.test",
    annotations: {
      "server-snippet": `
        if ($request_uri ~ "^/api/health") { return 403; }
        location = /well-known { access_log off; return 200 '{"a": 1}'; }
        location ~* /metrics$ { return 403; }
        large_client_header_buffers 4 128k;
      `,
    },
  },
  {
    name: "m4",
    host: "m4.test",
    annotations: snippet("deny 127.0.0.1; allow 127.0.0.0/8; deny all;"),
  },
  {
    name: "m5",
    host: "m5.test",
    annotations: {
      ...snippet("add_header X-Ok yes; add_header X-All yes always;"),
      "auth-type": "basic",
      "auth-secret": "pw",
      "auth-realm": "R",
    },
  },
  { name: "m6", host: "m6.test", annotations: { "proxy-body-size": "8k" } },
  { name: "m7", host: "m7.test", paths: [{ path: "/foo/" }], annotations: { "relative-redirects": "true" } },
];

/** The server blocks that ingress-nginx's template implies for them. */
export const moreServers = (
  server: (name: string, body: string) => string,
  { to, folder }: { readonly to: string; readonly folder: string },
): string => `
  ${server("m1.test", `location /dashboard/ { rewrite ^(/dashboard)$ $1/ redirect; ${to} } location = /dashboard { rewrite ^(/dashboard)$ $1/ redirect; ${to} } location / { return 404; }`)}
  ${server(
    "m2.test",
    `location / {
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      ${moreIngresses[1]?.annotations?.["configuration-snippet"]} ${to} }`,
  )}
  ${server("m3.test", `default_type text/html; ${moreIngresses[2]?.annotations?.["server-snippet"]} location / { ${to} }`)}
  ${server("m4.test", `location / { ${moreIngresses[3]?.annotations?.["configuration-snippet"]} ${to} }`)}
  ${server("m5.test", `location / { auth_basic "R"; auth_basic_user_file ${folder}/passwords; ${moreIngresses[4]?.annotations?.["configuration-snippet"]} ${to} }`)}
  ${server("m6.test", `client_max_body_size 8k; proxy_http_version 1.1; location / { ${to} }`)}
  ${server("m7.test", `location /foo/ { absolute_redirect off; ${to} } location / { return 404; }`)}
`;

const password = { authorization: `Basic ${Buffer.from("u:secret").toString("base64")}` };
const chunked = { "transfer-encoding": "chunked" };

export const moreProbes: readonly Probe[] = [
  {
    id: "m1a",
    host: "m1.test",
    path: "/dashboard",
    status: 302,
    answer: { location: "http://m1.test/dashboard/" },
  },
  {
    id: "m1b",
    host: "m1.test",
    path: "/dashboard?x=1",
    status: 302,
    answer: { location: "http://m1.test/dashboard/?x=1" },
  },
  { id: "m1c", host: "m1.test", path: "/dashboard/", status: 200, service: "web" },
  { id: "m2a", host: "m2.test", path: "/old", status: 302, answer: { location: "https://m2.test/new" } },
  { id: "m2b", host: "m2.test", path: "/old?x", status: 200, answer: { "x-all": "yes" } },
  { id: "m2c", host: "m2.test", path: "/s3?y=1", status: 308, answer: { location: "http://m2.test/s3/" } },
  { id: "m2d", host: "m2.test", headers: { "user-agent": "a Crawler 1" }, status: 403 },
  { id: "m2e", host: "m2.test", path: "/old", headers: { "user-agent": "bot" }, status: 302 },
  {
    id: "m2f",
    host: "m2.test",
    path: "/docs/a/b?c=d",
    status: 301,
    answer: { location: "https://docs.test/a/b?c=d" },
  },
  {
    id: "m2g",
    host: "m2.test",
    path: "/p?q=r",
    headers: { "x-given": "g", "x-forwarded-for": "1.2.3.4", "x-from": "client", ...password },
    status: 200,
    backendHeaders: {
      "x-from": "g",
      "x-forwarded-for": /^127\.0\.0\.1, ?1\.2\.3\.4, ?[\d.]+$/,
      authorization: password.authorization,
      "x-where": "http://m2.test/p?q=r",
    },
  },
  {
    id: "m2h",
    host: "m2.test",
    headers: { "x-from": "client" },
    status: 200,
    backendHeaders: { "x-from": null },
  },
  { id: "m3a", host: "m3.test", path: "/api/health/x?y", status: 403 },
  { id: "m3b", host: "m3.test", path: "/api", status: 200, service: "web" },
  { id: "m3c", host: "m3.test", path: "/well-known", status: 200, answer: { "content-type": /^text\/html/ } },
  { id: "m3d", host: "m3.test", path: "/a/METRICS", status: 403 },
  { id: "m3e", host: "m3.test", path: "/metrics/x", status: 200, service: "web" },
  { id: "m4a", host: "m4.test", status: 403 },
  { id: "m4b", host: "m4.test", from: "127.0.0.9", status: 200, service: "web" },
  { id: "m5a", host: "m5.test", status: 401, answer: { "x-all": "yes", "x-ok": null } },
  { id: "m5b", host: "m5.test", headers: password, status: 200, answer: { "x-all": "yes", "x-ok": "yes" } },
  { id: "m6a", host: "m6.test", method: "POST", headers: chunked, body: "x".repeat(9000), status: 413 },
  {
    id: "m6b",
    host: "m6.test",
    method: "POST",
    headers: chunked,
    body: "x".repeat(8000),
    status: 200,
    backendHeaders: { "content-length": "8000", "transfer-encoding": null },
  },
  { id: "m6c", host: "m6.test", method: "POST", body: "x".repeat(8193), status: 413 },
  { id: "m6d", host: "m6.test", method: "POST", body: "x".repeat(8192), status: 200, service: "web" },
  { id: "m7a", host: "m7.test", path: "/foo", status: 301, answer: { location: "/foo/" } },
];

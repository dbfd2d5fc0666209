import { xdsTypes } from "../link/snapshot.js";
import { pictureFormats } from "../picture/formats.js";

/** A JSON Schema (2020-12, which OpenAPI 3.1 uses). */
type JsonSchema = Readonly<Record<string, unknown>>;
type Members = Readonly<Record<string, JsonSchema>>;

const text: JsonSchema = { type: "string" };
const flag: JsonSchema = { type: "boolean" };
const count: JsonSchema = { type: "integer", minimum: 0 };
const time: JsonSchema = { type: "integer", description: "Milliseconds since the epoch." };
const share: JsonSchema = { type: "number", minimum: 0 };
const anything: JsonSchema = {};
const words = (...values: readonly string[]): JsonSchema => ({ type: "string", enum: values });
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const byName = (of: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: of });
const see = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** An object; a member whose name ends with `?` may be absent. A newer version may have further members. */
function object(members: Members): JsonSchema {
  const named = Object.entries(members).map(([name, schema]) => [name.replace("?", ""), schema]);
  const required = Object.keys(members).filter((name) => !name.endsWith("?"));
  return { type: "object", properties: Object.fromEntries(named), required };
}

const page = (name: string, items: JsonSchema, others: Members = {}): JsonSchema =>
  object({ total: count, "next?": count, [name]: list(items), ...others });

const state = words("refused", "never", "behind", "current");
const endpointMode = words("eds", "inline", "service");

const seat: Members = { gateway: text, listener: text, "listenerSet?": text, port: count };

/** Parts that several answers have. */
export const sharedSchemas = {
  Problem: {
    ...object({ type: { const: "about:blank" }, status: count, code: text, detail: text }),
    description:
      "Problem details (RFC 9457). `code` is stable, `detail` is for people. A refused push also has `findings`.",
  },
  Finding: {
    ...object({
      about: text,
      severity: words("error", "warning"),
      type: text,
      reason: text,
      message: text,
      "path?": text,
      "unlessBetween?": list(time),
      "file?": text,
      "line?": count,
      "column?": count,
    }),
    description: "`about` is KIND/NAMESPACE/NAME, `reason` a code of docs/findings.md.",
  },
  Fact: object({ what: text, value: text }),
  Polls: object({
    held: count,
    perMinute: count,
    holdMs: count,
    queued: count,
    shortened: list(object({ token: text, cutMs: count, holdMs: count, since: time })),
  }),
  Origin: {
    ...object({ ref: text, field: text }),
    description: "The object (KIND/NAMESPACE/NAME) and the field that a route comes from.",
  },
  Cluster: object({ cluster: text, weight: share, endpoints: list(text), endpointCount: count }),
  Request: object({ method: text, url: text, headers: list(text) }),
  Reached: {
    ...object({ ...seat, addresses: list(text) }),
    description: "A listener of a Gateway, with the IP addresses that Envoy listens on.",
  },
  Gateway: object({ name: text, addresses: list(text), listeners: list(text), hosts: count }),
  Connection: object({
    facts: list(see("Fact")),
    clusters: list(see("Cluster")),
    "origin?": see("Origin"),
    "request?": see("Request"),
  }),
  Host: object({
    host: text,
    "gateway?": text,
    "listeners?": byName(see("Reached")),
    "tls?": see("Connection"),
    "elsewhere?": byName(see("Connection")),
    tables: byName(
      list(
        object({
          match: text,
          "origin?": see("Origin"),
          clusters: list(see("Cluster")),
          facts: list(see("Fact")),
          "request?": see("Request"),
        }),
      ),
    ),
  }),
  HostRow: object({
    host: text,
    "gateway?": text,
    "address?": text,
    listeners: list(see("Reached")),
    state: words("served", "empty", "errors", "failing"),
    tables: list(text),
    routes: count,
    owners: list(text),
    services: list(text),
    serviceCount: count,
    errors: count,
    warnings: count,
  }),
  EnvoyRow: object({
    node: text,
    token: text,
    "release?": text,
    seen: time,
    active: flag,
    state,
    types: byName(object({ state, since: time, subscriptions: count, others: count })),
  }),
  Change: object({
    number: count,
    at: time,
    until: time,
    count,
    sequence: count,
    causes: list(object({ source: text, "revision?": count, "by?": text, "objects?": list(text) })),
    "start?": words("first", "restart"),
    types: list(text),
    hosts: list(text),
    hostCount: count,
    sections: list(
      object({
        title: text,
        lines: list(object({ sign: words("+", "-", "~", ""), depth: count, text })),
      }),
    ),
    more: count,
    onlyEndpoints: flag,
  }),
  Revision: object({ revision: count, at: time, by: text, digest: text, size: count }),
  References: object({ count, refs: list(text) }),
  Resources: object({ resources: list({ type: "object" }) }),
} as const satisfies Members;

const pushed = object({
  source: text,
  revision: count,
  before: count,
  objects: count,
  changed: flag,
  version: count,
  findings: list(see("Finding")),
  "left?": count,
  "missing?": count,
  "traffic?": list(text),
});

const explanation = object({
  outcome: words(
    "forward",
    "redirect",
    "respond",
    "tcp",
    "udp",
    "closed",
    "refused",
    "misdirected",
    "not-found",
  ),
  summary: text,
  "status?": count,
  "location?": text,
  "listener?": object({
    name: text,
    address: text,
    port: count,
    "moreAddresses?": list(text),
    "gatewayPort?": count,
    "seat?": object(seat),
  }),
  "chain?": object({ name: text, facts: list(see("Fact")) }),
  "virtualHost?": object({ name: text, domain: text, table: text }),
  "route?": object({ index: count, match: text, "origin?": see("Origin") }),
  "origin?": see("Origin"),
  backends: list(
    object({ cluster: text, weight: share, percent: share, endpoints: count, "endpointsUnknown?": flag }),
  ),
  "path?": text,
  facts: list(see("Fact")),
  "tls?": anything,
  "applied?": object({
    "forwarded?": object({ path: text, hosts: list(text) }),
    requestHeaders: list(object({ name: text, action: text, "value?": text, "service?": text })),
    responseHeaders: list(object({ name: text, action: text, "value?": text, "service?": text })),
    protections: { type: "object" },
  }),
  "claimants?": list(text),
  tried: list(object({ index: count, match: text, "origin?": see("Origin"), why: text, near: flag })),
  hints: list(text),
});

/** The JSON answers of successful operations, by method and path as in the document. */
export const answerSchemas: Members = {
  ...Object.fromEntries(
    xdsTypes.map((type) => [
      `POST /v3/discovery:${type}`,
      {
        ...object({ version_info: text, resources: list({ type: "object" }), type_url: text }),
        description: "A DiscoveryResponse of Envoy's xDS API, version 3.",
      },
    ]),
  ),
  "GET /openapi.json": object({
    openapi: text,
    info: { type: "object" },
    paths: { type: "object" },
    components: anything,
  }),
  "GET /status": object({
    phase: text,
    types: byName(object({ version: text, resources: count })),
    problems: byName(text),
    waiting: count,
    polls: see("Polls"),
    missingSources: count,
    "incomplete?": text,
    fleet: list(
      object({
        node: text,
        "token?": text,
        seen: time,
        active: flag,
        subscriptions: byName(object({ accepted: text, "refused?": text })),
      }),
    ),
    sources: list({ type: "object" }),
    "endpoints?": endpointMode,
    findings: list(see("Finding")),
    "standing?": object({ silentMs: count, fresh: flag, aside: flag }),
    "deployed?": { type: "object" },
  }),
  "GET /graph": object({ hosts: list(see("Host")), "next?": text }),
  "GET /explain": explanation,
  "GET /config": object({
    endpoint_mode: endpointMode,
    values: words("shown", "hidden"),
    clusters: see("Resources"),
    endpoints: see("Resources"),
    listeners: see("Resources"),
    secrets: see("Resources"),
    routes: see("Resources"),
  }),
  "GET /overview": object({
    now: time,
    role: words("read", "admin"),
    ready: flag,
    pending: count,
    hosts: count,
    gateways: list(see("Gateway")),
    gatewayCount: count,
    findings: object({ errors: count, warnings: count, objects: count }),
    envoys: object({
      total: count,
      current: count,
      behind: count,
      refusing: count,
      never: count,
      away: count,
      refusals: list(object({ type: text, since: time, count })),
      "waitingSince?": time,
    }),
    notices: list(object({ level: words("warning", "bad"), text })),
    "last?": object({ number: count, at: time, "source?": text, "revision?": count, "by?": text }),
  }),
  "GET /hosts": page("hosts", see("HostRow"), { gateways: list(see("Gateway")) }),
  "GET /hosts/{host}": object({
    row: see("HostRow"),
    "node?": see("Host"),
    findings: list(see("Finding")),
    places: byName(object({ file: text, line: count })),
    notReady: byName(count),
  }),
  "GET /findings": {
    anyOf: [
      object({
        total: count,
        groups: list(
          object({
            severity: words("error", "warning"),
            reason: text,
            count,
            meaning: text,
            fix: text,
            namespaces: list(object({ namespace: text, count })),
            moreNamespaces: count,
          }),
        ),
      }),
      page("findings", see("Finding")),
    ],
  },
  "GET /envoys": {
    anyOf: [
      page("envoys", see("EnvoyRow"), { polls: see("Polls") }),
      object({
        envoy: see("EnvoyRow"),
        subscriptions: list(
          object({
            type: text,
            names: list(text),
            state,
            since: time,
            accepted: text,
            served: text,
            "refused?": text,
          }),
        ),
        more: count,
        lacks: list(see("Change")),
      }),
    ],
  },
  "GET /changes": page("changes", see("Change")),
  "GET /sources": object({
    sources: list(object({ name: text, revision: count, objects: count, revisions: list(see("Revision")) })),
  }),
  "POST /sources": object({ sources: list(text), missing: count }),
  "GET /sources/{name}": object({
    source: text,
    revision: count,
    objects: count,
    findings: list(see("Finding")),
    "left?": count,
  }),
  "PUT /sources/{name}": pushed,
  "DELETE /sources/{name}": object({
    source: text,
    objects: count,
    changed: flag,
    version: count,
    "left?": count,
  }),
  "GET /sources/{name}/revisions": object({
    source: text,
    revisions: list(
      object({
        revision: count,
        at: time,
        by: text,
        "first?": object({ revision: count, at: time, by: text }),
        "changes?": object({
          added: see("References"),
          changed: see("References"),
          removed: see("References"),
        }),
      }),
    ),
  }),
  "GET /sources/{name}/revisions/{revision}": object({
    source: text,
    revision: count,
    at: time,
    digest: text,
    by: text,
    text,
    held: list({ type: "object" }),
  }),
  "PUT /sources/{name}/revisions/{revision}": pushed,
  "POST /accept-shrink": object({ kind: text, "cluster?": text, deleted: count }),
};

const accepted = object({ accepted: { const: true } });
const review = object({
  apiVersion: { const: "admission.k8s.io/v1" },
  kind: { const: "AdmissionReview" },
  response: object({ uid: text, allowed: flag, "status?": { type: "object" }, "warnings?": list(text) }),
});
const concerning = object({ concerning: count });

/** The answers of hooks, with and without the token in the path. */
export const hookSchemas: Members = Object.fromEntries(
  Object.entries({ refresh: accepted, admission: review, audit: concerning }).flatMap(([name, schema]) =>
    ["", "/{token}"].map((rest) => [`POST /hooks/${name}${rest}`, schema]),
  ),
);

export const graphFormat: JsonSchema = words(...pictureFormats);

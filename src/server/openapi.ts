import { xdsTypes } from "../link/snapshot.js";
import { answerSchemas, graphFormat, hookSchemas, sharedSchemas } from "./openapi-schemas.js";
import type { Role } from "./tokens.js";

/** An operation of the OpenAPI document. The parameters of its path are added from the path. */
interface Operation {
  readonly summary: string;
  /** The roles that may call the operation; empty if it requires no token. */
  readonly roles: readonly Role[];
  /** Query parameters with their descriptions; a name with `!` is required. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly required?: boolean };
  /** The media types by successful status; none if the response has no body. */
  readonly success: Readonly<Record<number, string | readonly string[]>>;
  /** The error statuses in addition to those of all operations with the same roles. */
  readonly errors?: readonly number[];
}

const json = "application/json";
const text = "text/plain";
const pages = { after: "leave out this many items", limit: "items per page, 1 to 500" } as const;
const choice = {
  gateway: "only the listeners of this Gateway, `namespace/name`",
  address: "only the listeners with this IP address",
} as const;
const readers: readonly Role[] = ["read", "admin"];
const publishers: readonly Role[] = ["publish", "admin"];
const admins: readonly Role[] = ["admin"];
const hookPath = { body: { type: json }, roles: ["hook", "admin"] } as const;
const ring = { ...hookPath, summary: "Look for changes in the cluster now.", success: { 202: json } };
const admission = {
  ...hookPath,
  summary: "Review an object before it is stored (AdmissionReview of admission.k8s.io/v1).",
  success: { 200: json },
  errors: [400, 413, 415],
};
const audit = {
  ...hookPath,
  summary: "Take audit events (EventList of audit.k8s.io/v1), and look for changes if any concerns routing.",
  success: { 200: json },
  errors: [400, 413, 415],
};

/** The operations by method and path, in hono's syntax of paths. */
const operations: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(
    xdsTypes.map((type) => [
      `POST /v3/discovery:${type}`,
      {
        summary: `A poll of an Envoy for ${type}: a DiscoveryRequest, which is held until there is a change.`,
        roles: ["node"],
        body: { type: json, required: true },
        success: { 200: json, 304: [] },
        errors: [400, 413, 415, 503],
      } satisfies Operation,
    ]),
  ),
  "GET /": { summary: "The page for people.", roles: [], success: { 200: "text/html", 304: [] } },
  "GET /openapi.json": { summary: "This document.", roles: [], success: { 200: json, 304: [] } },
  "GET /healthz": { summary: "Whether the server runs.", roles: [], success: { 200: text } },
  "GET /readyz": {
    summary: "Whether the server has something to serve.",
    roles: [],
    query: { fresh: "also whether it is up to date" },
    success: { 200: text },
    errors: [503],
  },
  "GET /status": {
    summary: "Sources, versions, findings and Envoys.",
    roles: readers,
    success: { 200: json },
  },
  "GET /metrics": { summary: "Metrics for Prometheus.", roles: readers, success: { 200: text } },
  "GET /graph": {
    summary: "Hosts with their routes, clusters and endpoints, in pages.",
    roles: readers,
    query: {
      host: "only this host",
      after: "the `next` of the page before",
      limit: "hosts per page, 1 to 500",
      requests: "add a request for each route",
      ...choice,
      format: "default: json",
    },
    success: { 200: [json, "image/svg+xml", text] },
    errors: [400, 404, 503],
  },
  "GET /explain": {
    summary: "Which route handles a request, and why.",
    roles: readers,
    query: {
      "url!": "http://, https://, tcp://, tls:// or udp://",
      method: "default: GET",
      header: "`name: value`; may be repeated",
      ...choice,
    },
    success: { 200: json },
    errors: [400, 503],
  },
  "GET /config": {
    summary: "All that is served, without keys.",
    roles: readers,
    success: { 200: json },
    errors: [503],
  },
  "GET /overview": {
    summary: "The state of the server in numbers: hosts, findings, Envoys, the last change.",
    roles: readers,
    query: {
      live: "answer again at each change; `once`: one answer, held until a change",
      have: "the `number` of the answer that the client has",
    },
    success: { 200: json },
    errors: [429],
  },
  "GET /hosts": {
    summary: "The served hosts and the hosts that objects claim, in pages.",
    roles: readers,
    query: { ...choice, ...pages },
    success: { 200: json },
    errors: [400],
  },
  "GET /hosts/:host": {
    summary: "A host on one Gateway: its routes, claims and findings.",
    roles: readers,
    query: choice,
    success: { 200: json },
    errors: [400, 404],
  },
  "GET /findings": {
    summary: "Groups of findings by severity and reason; with `list` the findings, in pages.",
    roles: readers,
    query: {
      list: "list the findings",
      severity: "`error` or `warning`",
      reason: "only this code",
      namespace: "only objects of this namespace",
      q: "only findings with this text",
      ...pages,
    },
    success: { 200: json },
    errors: [400],
  },
  "GET /envoys": {
    summary: "The Envoys that poll, in pages; with `node` one Envoy with its subscriptions.",
    roles: readers,
    query: { node: "the id of an Envoy", token: "the name of its token", ...pages },
    success: { 200: json },
    errors: [400, 404],
  },
  "GET /changes": {
    summary: "The last publications, newest first, in pages.",
    roles: readers,
    query: pages,
    success: { 200: json },
    errors: [400],
  },
  "GET /sources": { summary: "The pushed sources.", roles: readers, success: { 200: json } },
  "POST /sources": {
    summary: "Confirm that all sources are pushed after a lost store.",
    roles: admins,
    query: { "complete!": "without a value" },
    success: { 200: json },
    errors: [400],
  },
  "GET /sources/:name": {
    summary: "A source: its revision and findings.",
    roles: publishers,
    success: { 200: json },
    errors: [400, 403, 404],
  },
  "PUT /sources/:name": {
    summary: "Push manifests as the whole content of a source, or roll back to an earlier revision.",
    roles: ["publish", "preview", "admin"],
    query: {
      revision: "the number of this revision",
      expect: "only over this revision",
      rollback: "the content of this revision, in place of a body",
      commit: "the commit of the files, for the history",
      strict: "refuse manifests with errors",
      "dry-run": "change nothing; also for the role `preview`",
      "accept-shrink": "allow that many objects are missing",
      "default-settings": "remove the source's settings",
    },
    body: { type: "application/yaml" },
    success: { 200: json },
    errors: [400, 403, 404, 409, 412, 413, 415, 422, 503],
  },
  "DELETE /sources/:name": {
    summary: "Delete a source with its objects.",
    roles: admins,
    success: { 200: json },
    errors: [400, 404],
  },
  "GET /sources/:name/revisions": {
    summary: "Who pushed the kept revisions, when, and what changed.",
    roles: publishers,
    query: { last: "how many, newest first" },
    success: { 200: json },
    errors: [400, 403, 404],
  },
  "GET /sources/:name/revisions/:revision": {
    summary: "The content of a kept revision, with keys.",
    roles: admins,
    success: { 200: json },
    errors: [400, 404],
  },
  "PUT /sources/:name/revisions/:revision": {
    summary: "Add a revision that another server has exported.",
    roles: admins,
    body: { type: json, required: true },
    success: { 200: json },
    errors: [400, 409, 413, 415, 422],
  },
  "POST /accept-shrink": {
    summary: "Confirm held deletions of a kind.",
    roles: admins,
    query: {
      "kind!": "such as Secret",
      cluster: "the cluster, if there are several",
      expect: "their number",
    },
    success: { 200: json },
    errors: [400, 404, 409],
  },
  "POST /hooks/refresh": ring,
  "POST /hooks/refresh/:token": ring,
  "POST /hooks/admission": admission,
  "POST /hooks/admission/:token": admission,
  "POST /hooks/audit": audit,
  "POST /hooks/audit/:token": audit,
};

/** The OpenAPI 3.1 document of the HTTP API of a server with all its parts. */
export function openApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = "", route = ""] = key.split(" ");
    const path = route.replace(/\/:(\w+)/g, "/{$1}");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(method, path, operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Isoline", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token made with `isoline token`." },
      },
      schemas: sharedSchemas,
    },
  };
}

function operationObject(
  method: string,
  path: string,
  { summary, roles, query = {}, body, success, errors = [] }: Operation,
) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name: name.replace("!", ""),
    in: "query",
    required: name.endsWith("!"),
    description,
    schema: name === "format" ? graphFormat : { type: "string" },
  }));
  const refusals = roles.length > 0 ? [401, 426, 429] : [];
  const failed = [...new Set([...errors, ...refusals, 403, 421, 500, 503])].sort((a, b) => a - b);
  return {
    summary,
    ...(roles.length > 0
      ? { description: `Role: ${roles.join(" or ")}.`, security: [{ token: [] }] }
      : { security: [] }),
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: body.required === true, content: { [body.type]: {} } } } : {}),
    responses: Object.fromEntries([
      ...Object.entries(success).map(([status, types]) => [
        status,
        successObject(method, path, [types].flat()),
      ]),
      ...failed.map((status) => [String(status), errorObject]),
    ]),
  };
}

const errorObject = {
  description: "An error.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** A successful response; an answer in JSON has a schema. */
function successObject(method: string, path: string, types: readonly string[]): object {
  if (types.length === 0) return { description: "No change." };
  const key = `${method} ${path}`;
  const schema = answerSchemas[key] ?? hookSchemas[key];
  const contentOf = (type: string): object => (type === json && schema ? { schema } : {});
  return {
    description: "The answer.",
    content: Object.fromEntries(types.map((type) => [type, contentOf(type)])),
  };
}

import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { xdsTypes } from "../../src/link/snapshot.js";
import { openApi } from "../../src/server/openapi.js";
import { apiRig } from "../support/api-rig.js";
import { endpointSlice, hostProxy, service } from "../support/backend.js";
import { discoveryRequest } from "../support/discovery.js";

type Rig = ReturnType<typeof apiRig>;

interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface ApiOperation {
  readonly security: readonly object[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

const api = openApi("1.2.3") as ApiDocument;
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    ...operation,
  })),
);

/** Closes all objects of a schema, so that an answer with a member that the document lacks is an error. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [
    key,
    key === "$ref" && typeof one === "string"
      ? one.replace("#/components/schemas/", "#/$defs/")
      : closed(one),
  ]);
  const made = Object.fromEntries(entries) as Record<string, unknown>;
  return "properties" in made ? { ...made, additionalProperties: false } : made;
}

function expectDescribed(operation: ApiOperation, answer: Response, body: string): void {
  const listed = operation.responses[answer.status];
  expect(listed, `${answer.status} ${body}`).toBeDefined();
  const type = answer.headers.get("content-type")?.split(";")[0];
  if (type === undefined) {
    expect(listed?.content).toBeUndefined();
    return;
  }
  expect(Object.keys(listed?.content ?? {})).toContain(type);
  const { schema } = listed?.content?.[type] ?? {};
  if (!type.endsWith("json")) return;
  expect(schema, `the schema of ${answer.status}`).toBeDefined();
  const whole = closed({ ...schema, $defs: api.components.schemas });
  const checked = z
    .fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(JSON.parse(body));
  // A refused push has findings in addition to the members of a problem.
  const known = checked.error?.issues.filter(({ message }) => !/Unrecognized key: "findings"/.test(message));
  expect(known ?? [], body.slice(0, 2000)).toEqual([]);
}

const withToken = { authorization: "Bearer test", "content-type": "application/json" };

async function ask(
  rig: Rig,
  method: string,
  url: string,
  body?: string,
): Promise<readonly [Response, string]> {
  const init = { method, headers: withToken, ...(body === undefined ? {} : { body }) };
  const answer = await rig.app.request(`http://isoline.test${url}`, init);
  return [answer, await answer.text()];
}

const manifests = JSON.stringify([
  service("default", "app"),
  endpointSlice("default", "app", 8080),
  hostProxy("good.test", "app"),
  hostProxy("bad.test", "missing"),
]);

const review = JSON.stringify({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: { uid: "1", operation: "CREATE", object: {} },
});
const events = JSON.stringify({
  kind: "EventList",
  items: [{ verb: "create", objectRef: { apiGroup: "", resource: "services" } }],
});

/** Requests with successful answers, in their order, by operation; each has the path and the body. */
const successes: Readonly<Record<string, readonly (readonly [url: string, body?: string])[]>> = {
  "GET /": [["/"]],
  "GET /openapi.json": [["/openapi.json"]],
  "GET /healthz": [["/healthz"]],
  "GET /readyz": [["/readyz"], ["/readyz?fresh"]],
  "GET /status": [["/status"]],
  "GET /metrics": [["/metrics"]],
  "GET /graph": [
    ["/graph?requests"],
    ["/graph?limit=1"],
    ["/graph?host=good.test&format=svg"],
    ["/graph?format=dot"],
    ["/graph?format=text"],
  ],
  "GET /explain": [["/explain?url=http://good.test/"], ["/explain?url=http://other.test/&header=a:%20b"]],
  "GET /config": [["/config"]],
  "GET /overview": [["/overview"]],
  "GET /hosts": [["/hosts"], ["/hosts?limit=1"]],
  "GET /hosts/{host}": [["/hosts/good.test"], ["/hosts/bad.test"]],
  "GET /findings": [["/findings"], ["/findings?list"]],
  "GET /envoys": [["/envoys"], ["/envoys?node=edge-1&token=edge"]],
  "GET /changes": [["/changes"]],
  "GET /sources": [["/sources"]],
  "POST /sources": [["/sources?complete"]],
  "GET /sources/{name}": [["/sources/web"]],
  "PUT /sources/{name}": [
    ["/sources/web?dry-run", "[]"],
    ["/sources/web", manifests],
    ["/sources/web?rollback=1"],
  ],
  "GET /sources/{name}/revisions": [["/sources/web/revisions"]],
  "GET /sources/{name}/revisions/{revision}": [["/sources/web/revisions/1"]],
  "PUT /sources/{name}/revisions/{revision}": [
    ["/sources/copy/revisions/1", JSON.stringify({ at: 1, by: "ci", text: "[]", held: [] })],
  ],
  "DELETE /sources/{name}": [["/sources/web"]],
  "POST /accept-shrink": [["/accept-shrink?kind=Secret"]],
  ...Object.fromEntries(
    Object.entries({ refresh: "", admission: review, audit: events }).flatMap(([name, body]) => [
      [`POST /hooks/${name}`, [[`/hooks/${name}`, body]]],
      [`POST /hooks/${name}/{token}`, [[`/hooks/${name}/test`, body]]],
    ]),
  ),
};

const poll = (rig: Rig, type: string) =>
  ask(rig, "POST", `/v3/discovery:${type}`, discoveryRequest("edge-1", "", []));

/** A rig with a source of two revisions and an Envoy. */
async function servingRig(): Promise<Rig> {
  const rig = apiRig();
  await ask(rig, "PUT", "/sources/web", "[]");
  await ask(rig, "PUT", "/sources/web", manifests);
  await poll(rig, "clusters");
  return rig;
}

describe("the OpenAPI document", () => {
  it("has every route of the server and no other", () => {
    const routes = apiRig()
      .app.routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/\/:(\w+)/g, "/{$1}")}`);
    expect(operations.map(({ name }) => name).sort()).toEqual([...new Set(routes)].sort());
  });

  it("is what the server answers, without a token, and not again to who has it", async () => {
    const { app } = apiRig();
    const answer = await app.request("http://isoline.test/openapi.json");
    expect(await answer.json()).toEqual(openApi("0.0.0"));
    const headers = { "if-none-match": answer.headers.get("etag") ?? "" };
    expect((await app.request("http://isoline.test/openapi.json", { headers })).status).toBe(304);
  });

  it.each(operations)(
    "$name: other answers have statuses, types and members of the document",
    async (one) => {
      const { method, path, security } = one;
      const url = path.replace("{name}", "web").replace("{revision}", "1").replace("{token}", "test");
      const init = method === "GET" ? {} : { body: method === "PUT" ? "[]" : "{}" };
      const queries = ["", "?limit=0", "?last=0", "?url=shop", "?revision=x", "?format=x", "?kind=Pod"];
      const { app } = apiRig();
      for (const query of queries)
        for (const headers of [{}, withToken]) {
          const answer = await app.request(`http://isoline.test${url}${query}`, { method, headers, ...init });
          expectDescribed(one, answer, await answer.text());
          const needsToken = security.length > 0 && !path.endsWith("{token}");
          if (!("authorization" in headers) && needsToken) expect([401, 429]).toContain(answer.status);
        }
    },
  );

  const others = operations.filter(({ name }) => !name.startsWith("POST /v3/"));
  it.each(others)("$name: successful answers have the members of the document", async (one) => {
    const rig = await servingRig();
    expect(successes[one.name]?.length ?? 0).toBeGreaterThan(0);
    for (const [url, body] of successes[one.name] ?? []) {
      const [answer, text] = await ask(rig, one.method, url, body);
      expect(answer.ok, `${url}: ${text}`).toBe(true);
      expectDescribed(one, answer, text);
    }
  });

  describe("polls", () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await servingRig();
    });
    it.each(xdsTypes)("%s", async (type) => {
      const operation = api.paths[`/v3/discovery:${type}`]?.post;
      const [answer, text] = await poll(rig, type);
      if (operation) expectDescribed(operation, answer, text);
      if (type === "clusters") expect(answer.status).toBe(200);
    });
  });
});

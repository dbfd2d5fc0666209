import { expect, test } from "vitest";
import { readConfig } from "../../src/explain/config.js";
import { aligned } from "../../src/explain/diff.js";
import { changesIn, review } from "../../src/explain/review.js";
import { link } from "../../src/link/snapshot.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, ingressRoute, type Manifest, tlsSecret } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { eventually } from "../support/envoy.js";
import { explainer } from "../support/explain.js";
import { fc } from "../support/fast-check.js";
import { request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const edits = Number(process.env.EDITS ?? 300);
const names = ["a", "b"];
const hosts = ["x.test", "y.test", "*.z.test"];

const prefix = fc.constantFrom("/", "/a", "/a/b", "/c");
const action: fc.Arbitrary<Manifest> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names).map((name) => ({ services: [{ name, port: 80 }] })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(200, 404, 503).map((statusCode) => ({ directResponsePolicy: { statusCode } })),
  },
  { weight: 1, arbitrary: fc.constant({ requestRedirectPolicy: { hostname: "moved.test" } }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...names).map((name) => ({
      services: [{ name, port: 80 }],
      pathRewritePolicy: { replacePrefix: [{ replacement: "/r" }] },
    })),
  },
);
const header = fc.constantFrom<readonly Manifest[]>(
  [],
  [],
  [],
  [{ header: { name: "x-h", exact: "1" } }],
  [{ header: { name: "x-h", present: true } }],
  [{ queryParameter: { name: "q", exact: "1" } }],
);
const route = fc
  .record({ prefix, header, action, insecure: fc.boolean() })
  .map(({ prefix, header, action, insecure }) => ({
    conditions: [{ prefix }, ...header],
    ...action,
    ...(insecure ? { permitInsecure: true } : {}),
  }));
const nameOf = (fqdn: string): string => fqdn.replace("*", "w").replace(".", "-").replace(".", "-");
const proxy = fc
  .record({
    fqdn: fc.constantFrom(...hosts),
    routes: fc.array(route, { minLength: 1, maxLength: 4 }),
    tls: fc.boolean(),
  })
  .map(({ fqdn, routes, tls }) =>
    httpProxy("default", nameOf(fqdn), {
      virtualhost: { fqdn, ...(tls ? { tls: { secretName: "secure" } } : {}) },
      routes,
    }),
  );
const old = fc
  .record({
    fqdn: fc.constantFrom("x.test", "y.test"),
    all: fc.uniqueArray(prefix, { minLength: 1 }),
    to: fc.constantFrom(...names),
  })
  .map(({ fqdn, all, to }) =>
    ingressRoute("default", nameOf(fqdn), {
      virtualhost: { fqdn },
      routes: all.map((match) => ({ match, services: [{ name: to, port: 80 }] })),
    }),
  );
/** Puts a host's object in place of what it had, or takes it away. */
const edit = fc.oneof(
  {
    weight: 5,
    arbitrary: proxy.map((object) => ({ object, name: (object.metadata as { name: string }).name })),
  },
  {
    weight: 1,
    arbitrary: old.map((object) => ({ object, name: (object.metadata as { name: string }).name })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...hosts).map((fqdn) => ({ object: undefined, name: nameOf(fqdn) })),
  },
);

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
}

const asked: readonly Asked[] = ["http", "https"].flatMap((scheme) =>
  ["x.test", "y.test", "any.z.test"].flatMap((host) =>
    ["/", "/a", "/ab", "/a/b", "/c?q=1"].flatMap((path) =>
      [[], ["x-h: 1"]].map((headers) => ({ method: "GET", url: `${scheme}://${host}${path}`, headers })),
    ),
  ),
);

/** What a real Envoy answers. */
async function answerOf(rig: Rig, { method, url, headers }: Asked): Promise<string> {
  const { protocol, host, pathname, search } = new URL(url);
  const over = protocol === "http:" ? { port: rig.httpPort } : { port: rig.httpsPort, sni: host };
  const given = Object.fromEntries(headers.map((line) => line.split(": ")));
  const answer = await request({ ...over, method, host, path: pathname + search, headers: given }).catch(
    () => undefined,
  );
  if (!answer) return "closed";
  if (answer.status !== 200 || answer.body === "") return `${answer.status} ${answer.headers.location ?? ""}`;
  const { service, path } = answer.echo();
  return `${service} ${path}`;
}

/** The same by `isoline explain`. */
function foretold(explain: ReturnType<typeof explainer>, { method, url, headers }: Asked): string {
  const found = explain(method, url, headers);
  const { pathname, search } = new URL(url);
  if (found.outcome === "closed") return "closed";
  if (found.outcome !== "forward") return `${found.status} ${found.location ?? ""}`;
  return `${found.backends[0]?.cluster.split("/")[1]} ${found.path ?? pathname}${search}`;
}

const { settings } = parseSettings({ allowLoopbackEndpoints: true });
const marker = (step: number): Manifest =>
  httpProxy("default", "marker", {
    virtualhost: { fqdn: "marker.test", tls: { secretName: "secure" } },
    routes: [
      {
        conditions: [{ prefix: `/step-${step}` }],
        permitInsecure: true,
        directResponsePolicy: { statusCode: 204 },
      },
    ],
  });

test(`diff of ${edits} random edits tells what two Envoys answer`, { timeout: 3_600_000 }, async () => {
  const options = { backends: names, objects: [tlsSecret("default", "secure"), marker(0)] };
  const rigs = [await startRig(options), await startRig(options)] as const;
  const common = [...rigs[0].backends.objects, tlsSecret("default", "secure")];
  const parsed = (manifests: readonly Manifest[]): KubeObject[] =>
    manifests.flatMap((manifest) => {
      const read = parseObject(manifest);
      return "object" in read ? [read.object] : [];
    });
  const state = new Map<string, Manifest>();
  let before: readonly KubeObject[] | undefined;
  const counts = { told: 0, same: 0, rewritten: 0 };
  for (const [step, { name, object }] of fc.sample(edit, { numRuns: edits, seed: fc.seed }).entries()) {
    if (object) state.set(name, object);
    else state.delete(name);
    const manifests = [...state.values(), marker(step + 1)];
    const rig = rigs[step % 2 === 0 ? 0 : 1];
    const other = rigs[step % 2 === 0 ? 1 : 0];
    await rig.isoline.apply("objects", ...rig.backends.objects, tlsSecret("default", "secure"), ...manifests);
    for (const scheme of ["http", "https"])
      await eventually(
        async () =>
          (await answerOf(rig, {
            method: "GET",
            url: `${scheme}://marker.test/step-${step + 1}`,
            headers: [],
          })) === "204 ",
        `step ${step + 1} is served`,
      );
    const after = parsed([...common, ...state.values()]);
    if (before) await compare(step, [before, other], [after, rig], counts);
    before = after;
  }
  expect(counts.told).toBeGreaterThan(edits / 4);
  expect(counts.same).toBeGreaterThan(0);
});

type Side = readonly [readonly KubeObject[], Rig];

async function compare(
  step: number,
  [old, first]: Side,
  [now, second]: Side,
  counts: { told: number; same: number; rewritten: number },
): Promise<void> {
  const config = (objects: readonly KubeObject[]) =>
    readConfig(link(compileAll([settings, ...objects]), settings.spec));
  const [a, b] = aligned(config(old), config(now));
  const found = review({ config: a, knowsEndpoints: () => true }, { config: b, knowsEndpoints: () => true });
  const told = new Set(found.hosts.map(({ host }) => host.replace("*", "any")));
  const shown = found.hosts.flatMap(({ requests }) => requests.shown);
  const [explainOld, explainNow] = [explainer([settings, ...old]), explainer([settings, ...now])];
  for (const one of [...shown, ...asked] as readonly (Asked & Partial<(typeof shown)[number]>)[]) {
    const expected = [foretold(explainOld, one), foretold(explainNow, one)];
    await eventually(async () => {
      const real = [await answerOf(first, one), await answerOf(second, one)];
      expect([step, one.url, one.headers, real]).toEqual([step, one.url, one.headers, expected]);
      return true;
    }, `both Envoys answer ${one.url} as explain does`);
    const differs = expected[0] !== expected[1];
    if (differs) {
      counts.told++;
      expect([step, one.url, [...told]]).toEqual([
        step,
        one.url,
        expect.arrayContaining([new URL(one.url).host]),
      ]);
    } else counts.same++;
    if (one.before?.summary !== one.after?.summary) expect([step, one, differs]).toEqual([step, one, true]);
  }
  counts.rewritten += found.rewritten.length;
  if (changesIn(found).length === 0)
    for (const one of asked) expect(foretold(explainOld, one)).toBe(foretold(explainNow, one));
}

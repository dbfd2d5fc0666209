import { describe, expect, it } from "vitest";
import { hostNodes } from "../../src/explain/graph.js";
import { originsIn } from "../../src/explain/origins.js";
import { regexExamples } from "../../src/explain/regex-examples.js";
import { servedHosts } from "../../src/explain/served-hosts.js";
import { link } from "../../src/link/snapshot.js";
import { parseObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, platform } from "../support/compile.js";
import { explainer } from "../support/explain.js";

const services = [{ name: "a", port: 80 }];
const header = (fields: Manifest): Manifest => ({
  conditions: [{ prefix: "/h" }, { header: fields }],
  services,
});
const query = (fields: Manifest): Manifest => ({
  conditions: [{ prefix: "/q" }, { queryParameter: fields }],
  services,
});
const path = (fields: Manifest): Manifest => ({ conditions: [fields], services });

const proxies: readonly Manifest[] = [
  httpProxy("default", "m", {
    virtualhost: { fqdn: "m.test" },
    routes: [
      ...["/", "/api", "/api/", "/A%20b"].map((prefix) => path({ prefix })),
      path({ exact: "/api/exact" }),
      path({ regex: "/api/v[0-9]+(/(users|orders)/\\d{3})?" }),
      path({ regex: "/(?i:files)/[^/]+\\.(png|jpe?g)" }),
      header({ name: "X-Present", present: true }),
      header({ name: "X-Absent", notpresent: true }),
      header({ name: "X-Exact", exact: "Yes" }),
      header({ name: "X-Not", notexact: "no" }),
      header({ name: "X-Not-Empty", notexact: "no", treatMissingAsEmpty: true }),
      header({ name: "X-Contains", contains: "mid" }),
      header({ name: "X-Any-Case", exact: "yes", ignoreCase: true }),
      header({ name: "X-Regex", regex: "a|b+" }),
      {
        conditions: [
          { prefix: "/h" },
          { header: { name: "X-One", exact: "1" } },
          { header: { name: "X-Two", notexact: "1" } },
        ],
        services,
      },
      ...[
        { exact: "Yes" },
        { prefix: "ab", ignoreCase: true },
        { suffix: "yz" },
        { contains: "m" },
        { regex: "[0-9]{2}" },
        { present: true },
      ].map((fields, i) => query({ name: `q${i}`, ...fields })),
      {
        conditions: [
          { prefix: "/q" },
          { queryParameter: { name: "a", exact: "1" } },
          { queryParameter: { name: "b", exact: "2" } },
        ],
        services,
      },
    ],
  }),
  httpProxy("default", "w", {
    virtualhost: { fqdn: "*.w.test", tls: { secretName: "secure" } },
    routes: [{ services }],
  }),
  httpProxy("default", "pass", {
    virtualhost: { fqdn: "pass.test", tls: { passthrough: true } },
    tcpproxy: { services },
  }),
];

const objects = [service("default", "a"), tlsSecret("default", "secure"), ...proxies].flatMap((one) => {
  const parsed = parseObject(one);
  return "object" in parsed ? [parsed.object] : [];
});
const store = compileAll(objects);
const snapshot = link(store, defaultSettings);
const nodes = (values: "shown" | "hidden") =>
  hostNodes(servedHosts(snapshot), snapshot, originsIn(store, defaultSettings, platform), {
    values,
    requests: true,
  });

describe("requests of routes", () => {
  const explain = explainer(objects);
  const routes = nodes("shown").flatMap(({ tables }) => Object.values(tables).flat());
  it("are known of all kinds of conditions", () => expect(routes.length).toBe(25));

  it.each(routes)("$match", ({ request, origin }) => {
    expect(request).toBeDefined();
    const found = request && explain(request.method, request.url, request.headers);
    expect(found?.route?.origin).toEqual(origin);
  });

  it("are known of connections that are passed on", () => {
    const [pass] = nodes("shown").filter(({ host }) => host === "pass.test");
    expect(pass?.tls?.request).toEqual({ method: "GET", url: "https://pass.test/", headers: [] });
  });

  it("are not given where they have values that are hidden", () => {
    const [m] = nodes("hidden").filter(({ host }) => host === "m.test");
    const given = Object.values(m?.tables ?? {}).flat();
    expect(given.filter(({ request }) => request).length).toBeGreaterThan(4);
    expect(given.filter(({ request, match }) => request && match.includes("(hidden)"))).toEqual([]);
    expect(JSON.stringify(given)).not.toMatch(/Yes|ab-other|mid/);
  });
});

describe("examples of regular expressions", () => {
  it.each([
    ["/v[0-9]+", "/v1"],
    ["/a(b|c)?d", "/ad"],
    ["^/x\\.y$", "/x.y"],
    ["/[^a-z]+", "/1"],
    ["/(?P<id>\\d{4})/.*", "/1111/"],
    ["(?i)/abc", "/abc"],
    ["/[[:alpha:]]\\w*?", "/x"],
    ["/[]]a\\/b", "/]a/b"],
    ["/\\x41", undefined],
  ])("%s", (regex, text) => expect(regexExamples(regex)[0]).toBe(text));
});

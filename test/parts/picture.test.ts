import { describe, expect, it } from "vitest";
import type { HostNode, RouteNode } from "../../src/explain/graph.js";
import { dotOf } from "../../src/picture/dot.js";
import { formatHosts } from "../../src/picture/formats.js";
import { laidOut } from "../../src/picture/layout.js";
import { pictureOf } from "../../src/picture/model.js";
import { svgOf } from "../../src/picture/svg.js";
import { hostProxy, service } from "../support/backend.js";
import { fiveHosts } from "../support/page-objects.js";
import { pushServer } from "../support/pushing.js";

const route = (i: number, cluster: string): RouteNode => ({
  match: `prefix /r${i}`,
  origin: { ref: "HTTPProxy/default/p", field: `spec.routes[${i}]` },
  clusters: [{ cluster, weight: 1, endpoints: ["10.0.0.1:80"], endpointCount: 1 }],
  facts: [],
});
const node = (routes: readonly RouteNode[]): HostNode => ({
  host: "a.test",
  tables: { ingress_http: routes },
});

describe("the picture of a host", () => {
  it("has routes from top to bottom in the order in which they are tried, whatever clusters they lead to", () => {
    const routes = [3, 1, 2, 0, 4, 2, 3].map((to, i) => route(i, `default/s${to}/80`));
    const { boxes, arrows, width, height } = laidOut(pictureOf(node(routes)));
    const tops = boxes.filter(({ kind }) => kind === "route").map(({ y }) => y);
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    expect(arrows.length).toBeGreaterThanOrEqual(1 + 7 + 7 + 5);
    for (const box of boxes) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
    for (const a of boxes)
      for (const b of boxes)
        if (a.id < b.id) {
          const apart =
            a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
          expect(apart, `${a.id} and ${b.id}`).toBe(true);
        }
  });

  it("marks errors where they are, and endpoints that are missing or not ready", () => {
    const [first, second] = [
      route(0, "default/a/80"),
      {
        ...route(1, "default/b/80"),
        clusters: [{ cluster: "default/b/80", weight: 1, endpoints: [], endpointCount: 0 }],
      },
    ];
    const { parts } = pictureOf(node([first, second]), {
      findings: [
        {
          about: "HTTPProxy/default/p",
          path: "spec.routes[0].services[0]",
          severity: "error",
          message: "is wrong",
        },
      ],
      notReady: { "default/a": 2 },
    });
    const level = (title: string) => parts.find((part) => part.title.startsWith(title))?.level;
    expect(level("1 ·")).toBe("error");
    expect(level("2 ·")).toBe("plain");
    expect(level("no endpoints")).toBe("error");
    expect(level("1 ready, 2 not ready")).toBe("warning");
  });

  it("stays small for a host with thousands of routes", () => {
    const { parts } = pictureOf(node(Array.from({ length: 5000 }, (_, i) => route(i, "default/a/80"))));
    expect(parts.length).toBeLessThan(50);
    expect(parts.map(({ title }) => title)).toContain("and 4960 more routes");
  });

  it("holds what users wrote as text alone", () => {
    const hostile = { ...route(0, "default/a/80"), match: '</text><script>alert(1)</script>"\\ \u0007' };
    const svg = svgOf([node([hostile])]);
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0007");
    expect(svg).toContain("&lt;/text&gt;&lt;script&gt;");
    expect(dotOf([node([hostile])])).toContain('</text><script>alert(1)</script>\\"\\\\');
  });

  it("is refused of more hosts than can be looked at", () => {
    const hosts = Array.from({ length: 51 }, (_, i) => ({ ...node([]), host: `h${i}.test` }));
    expect(() => formatHosts(hosts, "svg")).toThrow(/51 hosts.*name a host/);
    expect(formatHosts(hosts, "dot")).toContain("h50.test");
  });
});

describe("GET /graph?format", () => {
  it.each([
    ["svg", "image/svg+xml", /^<svg [^>]+>.*shop\.example\.com/s],
    ["dot", "text/plain; charset=utf-8", /^digraph isoline \{.*"catalog-next/s],
    [
      "text",
      "text/plain; charset=utf-8",
      /^shop\.example\.com\n {2}ingress_http\n {4}1 {2}prefix \/checkout/,
    ],
  ])("answers %s", async (format, type, expected) => {
    const { app, put } = pushServer();
    await put(fiveHosts());
    const answer = await app.request(`/graph?host=shop.example.com&format=${format}`);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
    expect(await answer.text()).toMatch(expected);
  });

  it("pages, and refuses formats that there are not", async () => {
    const { app, put } = pushServer();
    await put([
      service("default", "a"),
      ...Array.from({ length: 60 }, (_, i) => hostProxy(`h${i}.test`, "a")),
    ]);
    expect((await app.request("/graph?format=png")).status).toBe(400);
    expect((await app.request("/graph?format=svg&limit=51")).status).toBe(400);
    const link = (await app.request("/graph?format=dot&limit=50")).headers.get("link");
    expect(link).toMatch(/^<\/graph\?format=dot&limit=50&after=h\d+\.test>; rel="next"$/);
  });
});

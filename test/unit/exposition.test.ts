import { expect, it } from "vitest";
import { exposition, formatFor } from "../../src/server/exposition.js";
import { Metrics } from "../../src/server/metrics.js";

it.each([
  ["", "text"],
  ["*/*", "text"],
  ["text/html", "text"],
  ["text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text"],
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3", "openmetrics"],
  ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
  [
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  ["application/openmetrics-text;version=2.0.0,text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=0.1,text/plain", "text"],
  ["application/openmetrics-text;q=0", "text"],
])("Accept: %s gets %s", (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

it("writes a histogram with cumulative buckets, and a counter in OpenMetrics without _total in its name", () => {
  const metrics = new Metrics();
  for (const seconds of [0.001, 0.0011, 7, 99]) metrics.observe("poll_seconds", seconds, { type: "routes" });
  metrics.count("polls_total", { type: 'a"b\n', code: "200" }, 2);
  const families = metrics.families([["build_info", 1, { version: "1", commit: "" }]]);
  const text = exposition(families, "text");
  expect(text).toContain('isoline_poll_seconds_bucket{type="routes",le="0.001"} 1\n');
  expect(text).toContain('isoline_poll_seconds_bucket{type="routes",le="0.0025"} 2\n');
  expect(text).toContain('isoline_poll_seconds_bucket{type="routes",le="10"} 3\n');
  expect(text).toContain('isoline_poll_seconds_bucket{type="routes",le="+Inf"} 4\n');
  expect(text).toContain('isoline_poll_seconds_count{type="routes"} 4\n');
  expect(text).toContain("# TYPE isoline_polls_total counter\n");
  expect(text).toContain('isoline_polls_total{type="a\\"b\\n",code="200"} 2\n');
  expect(text).not.toContain("# EOF");
  const open = exposition(families, "openmetrics");
  expect(open).toContain("# TYPE isoline_polls counter\n");
  expect(open).toContain('isoline_polls_total{type="a\\"b\\n",code="200"} 2\n');
  expect(open.endsWith("# EOF\n")).toBe(true);
});

import { expect, it } from "vitest";
import { findingWriters } from "../../src/cli/findings.js";
import type { Located } from "../../src/cli/objects.js";

const located: Located = {
  file: "a.yaml",
  line: 7,
  finding: {
    about: "HTTPProxy/default/p",
    severity: "error",
    type: "RouteError",
    reason: "Invalid",
    message: "no \u001b[31mred\u001b[0m\nerror HTTPProxy/default/q: forged\u2028é",
    path: "spec.routes[0]",
  },
};

it("text of a user's stays text: neither lines of its own nor escape sequences come of it", () => {
  expect(findingWriters.text([located])).toBe(
    "a.yaml:7: error HTTPProxy/default/p spec.routes[0]: no \\u001b[31mred\\u001b[0m\\u000aerror HTTPProxy/default/q: forged\\u2028é (RouteError/Invalid)\n",
  );
  expect(findingWriters.github([located]).trimEnd().split("\n")).toHaveLength(1);
});

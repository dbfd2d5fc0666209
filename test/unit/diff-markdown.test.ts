import { describe, expect, it } from "vitest";
import type { HostReview, Review } from "../../src/explain/review.js";
import { formatReview, markdownReview, type Remarks } from "../../src/explain/review-text.js";
import { fc } from "../support/fast-check.js";

const none: Remarks = { uncompared: [], rewritten: [] };
const hostOf = (host: string, text: string, count = 1): HostReview => ({
  host,
  risk: ["route-lost"],
  changes: Array.from({ length: count }, (_, i) => ({
    kind: "route",
    name: `prefix /${i}${text}`,
    host: `${host} (http)`,
    domain: host,
    listener: "ingress_http",
    change: "changed",
    risk: ["route-lost"],
    details: [{ what: `backends${text}`, before: text, after: `b${text}` }],
  })),
  requests: {
    tried: 1,
    complete: true,
    differing: 1,
    shown: [
      {
        method: "GET",
        url: `http://${host}/${text}`,
        headers: [`x: ${text}`],
        before: { outcome: "forward", summary: text },
        after: { outcome: "not-found", summary: `404 ${text}` },
        details: [{ what: text, before: text, after: "b" }],
        risk: ["route-lost"],
        isDescribed: false,
      },
    ],
  },
});
const review = (...hosts: readonly HostReview[]): Review => ({
  hosts,
  others:
    hosts.length > 0
      ? [{ kind: "cluster", name: hosts[0]?.host ?? "", change: "added", details: [], risk: [] }]
      : [],
  rewritten: [],
  untried: [],
});

const attacks: readonly string[] = [
  "```",
  "\n```\n# forged\n",
  "\r\n\r\n</details><h1>forged</h1>",
  "</code></summary></details><img src=x onerror=alert(1)>",
  "`x` **bold** [link](https://evil.test) ![i](https://evil.test/i.png)",
  "@everyone #1 GH-1 https://evil.test",
  "| a | b |\n|---|---|",
  "<!-- -->\n### No change for traffic",
  "\u001b[2J\u001b]0;title\u0007",
  "\u202egnp.exe\u2066\u200b\ufeff\u2028line",
  "\ud800",
  "&lt;b&gt;&#60;",
  "~~~\n~~~",
  `${"`".repeat(40)}\n`,
  "+ forged\n- forged",
  "$$x$$ :tada: [[wiki]]",
];

/** What GitHub reads as text alone: the lines of fences, and the texts of `code` elements. */
function marksOutside(markdown: string): string {
  const lines = markdown.split("\n");
  let fence = "";
  const outside: string[] = [];
  for (const line of lines) {
    const [, mark = ""] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === "" && mark !== "") fence = mark;
    else if (fence !== "" && mark.startsWith(fence) && line.trim() === mark) fence = "";
    else if (fence === "") outside.push(line);
  }
  expect(fence).toBe("");
  return outside.join("\n").replace(/<code>((?:[\p{L}\p{N} ./,-]|&#\d+;|…)*)<\/code>/gu, "CODE");
}

const expected = (count: number): RegExp =>
  new RegExp(
    `^<!-- isoline diff -->\n### [0-9a-z, ]+\n\n\\*\\*Not compared\\*\\*, effect on traffic unknown:\n\n- CODE\n(\n<details><summary>CODE( — <b>[a-z-]+</b>)?</summary>\n\n\n</details>\n){${count}}$`,
  );

describe("the Markdown of a review", () => {
  it.each(attacks)("holds what users write as text alone: %j", (attack) => {
    const markdown = markdownReview(review(hostOf(attack, attack)), { ...none, uncompared: [attack] });
    expect(marksOutside(markdown)).toMatch(expected(2));
    expect(markdown).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(markdown.isWellFormed()).toBe(true);
  });

  it("does so of any text", () => {
    const markdown = (text: string): string =>
      marksOutside(markdownReview(review(hostOf(text, text)), { ...none, uncompared: [text] }));
    const marks = fc.constantFrom(
      "`",
      "```",
      "\n",
      "<",
      ">",
      "&",
      "/details",
      "*",
      "#",
      "|",
      " ",
      "a",
      "\u202e",
      "~~~",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(marks).map((all) => all.join("")),
    );
    fc.assert(fc.property(text, (one) => void expect(markdown(one)).toMatch(expected(2))));
  });

  it("is cut to what GitHub takes, with the worst first and a line that says so", () => {
    const many = Array.from({ length: 300 }, (_, i) => hostOf(`h${i}.test`, "é".repeat(400), 3));
    const markdown = markdownReview(review(...many), none);
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(65_536);
    expect(Buffer.byteLength(markdown)).toBeGreaterThan(50_000);
    expect(markdown).toContain("h0&#46;test".replace("&#46;", "."));
    expect(markdown).toMatch(
      /\n\*\*Cut\*\*: \d+ sections more do not fit here; `isoline diff` prints all\.\n$/,
    );
    const one = markdownReview(review(hostOf("one.test", "", 5000)), none);
    expect(Buffer.byteLength(one)).toBeLessThanOrEqual(65_536);
    expect(one).toMatch(/and \d+ lines more/);
    const [harmless] = hostOf("one.test", "", 5000).changes.map((change) => ({ ...change, risk: [] }));
    const long = { ...hostOf("one.test", ""), changes: Array(5000).fill(harmless) };
    expect(markdownReview(review(long), none)).toMatch(/GET http:\/\/one.test\/.*\[route-lost\]/);
    const uncompared = Array.from({ length: 5000 }, (_, i) => `${i}${"x".repeat(5000)}`);
    expect(
      Buffer.byteLength(markdownReview(review(), { uncompared, rewritten: uncompared })),
    ).toBeLessThanOrEqual(65_536);
    const marks = Array.from({ length: 5000 }, (_, i) => `${i}${"\u{1f600}".repeat(500)}`);
    const escaped = markdownReview(review(hostOf("one.test", "")), { uncompared: marks, rewritten: marks });
    expect(Buffer.byteLength(escaped)).toBeLessThanOrEqual(65_536);
    expect(escaped).toContain("one.test</code>");
    expect(escaped).toMatch(/- and 49\d\d more/);
  });

  it("says that nothing changes, and what is written differently", () => {
    expect(markdownReview(review(), { ...none, rewritten: ["HTTPProxy/default/x"] })).toBe(
      "<!-- isoline diff -->\n### No change for traffic\n\nWritten differently: <code>HTTPProxy/default/x</code>\n",
    );
  });
});

describe("the text of a review", () => {
  it.each(attacks)("has a line for each line, and no escape sequences: %j", (attack) => {
    const lines = (text: string): number =>
      formatReview(review(hostOf(text, text)), { uncompared: [text], rewritten: [text] }).split("\n").length;
    expect(lines(attack)).toBe(lines("x"));
    expect(formatReview(review(hostOf(attack, attack)), none)).not.toMatch(
      /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u,
    );
  });
});

import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { colourFindings, isColoured } from "../../src/cli/colour.js";
import { Progress } from "../../src/cli/progress.js";

describe("colour", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "", NO_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "false" }, false],
  ])("on a terminal (%s) with %j: %s", (isTTY, env, expected) => {
    expect(isColoured({ isTTY }, env)).toBe(expected);
  });

  it("is of the severity and the code of each finding, and changes no text", () => {
    const text = [
      "a.yaml:3: error HTTPProxy/a/b spec.x: is missing: error or not (SchemaError/Invalid)",
      "warning Settings//isoline gatewayRef: a message (LintError/NoGateway)",
      "dir: x/a.yaml: warning A//b: m (T/R)",
      "",
    ].join("\n");
    const coloured = colourFindings(text);
    expect(coloured.split("\n").map((line) => line.split("\u001b[").length - 1)).toEqual([4, 4, 4, 0]);
    expect(coloured).toContain("a.yaml:3: \u001b[31merror\u001b[0m HTTPProxy/a/b");
    expect(stripVTControlCharacters(coloured)).toBe(text);
  });
});

describe("progress", () => {
  function rig(isTTY: boolean) {
    const written: string[] = [];
    let now = 0;
    const progress = new Progress({ isTTY, write: (text) => void written.push(text) }, () => now);
    const at = (time: number, text: string): void => {
      now = time;
      progress.show(() => text);
    };
    return { written, at, progress };
  }

  it("is shown beyond two seconds, ten times a second at most, and erased", () => {
    const { written, at, progress } = rig(true);
    progress.end();
    for (const [time, text] of [
      [1999, "a"],
      [2000, "b"],
      [2099, "c"],
      [2100, "d"],
      [2300, "e".repeat(200)],
    ] as const)
      at(time, text);
    progress.end();
    progress.end();
    expect(written).toEqual(["\r\u001b[2Kb", "\r\u001b[2Kd", `\r\u001b[2K${"e".repeat(79)}`, "\r\u001b[2K"]);
  });

  it("is not shown where standard error is no terminal", () => {
    const { written, at, progress } = rig(false);
    at(5000, "a");
    progress.end();
    expect(written).toEqual([]);
  });
});

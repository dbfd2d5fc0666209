import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { LogBudget } from "../../src/log/budget.js";
import { events, type LogEvent } from "../../src/log/events.js";
import { type LogRecord, logOf, logTo } from "../../src/log/log.js";
import { createLog, type LogFormat } from "../../src/runtime/node/logger.js";
import { consoleLog } from "../../src/runtime/worker/console-log.js";
import { parseSettings } from "../../src/schema/settings.js";
import { settingsInForce, withoutSecrets } from "../../src/schema/settings-in-force.js";

const forged = 'shop\n{"level":"info","event":"admin"}\r\u001b[2K\u009b2K\u2028\u202eevil';

function written(format: LogFormat, isTerminal = false) {
  const lines: string[] = [];
  const log = createLog({ format, level: "info", isTerminal, write: (line) => lines.push(line) });
  return { lines, log };
}

describe("a line of the log", () => {
  it.each(["text", "json"] as const)(
    "holds what a tenant wrote as one line without control characters (%s)",
    (format) => {
      const { lines, log } = written(format);
      log(`a finding about ${forged}`, "finding-appeared", { object: forged, path: [forged] as never });
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(lines[0]).toContain("\\u000a");
    },
  );

  it("is JSON with the level, the time, the event and its fields; on a terminal it is text", () => {
    const json = written("auto");
    json.log("published 1", "published", { sequence: 1, hosts: ["a.example"], types: undefined });
    expect(JSON.parse(json.lines[0] ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: "published",
      sequence: 1,
      hosts: ["a.example"],
      message: "published 1",
    });
    const text = written("auto", true);
    text.log("published 1", "published", { sequence: 1 });
    expect(text.lines[0]).toMatch(/^\d{4}\S+Z INFO {2}published 1 \[published\]$/);
  });

  it("is left out below the level", () => {
    const records: LogRecord[] = [];
    const log = logTo("warn", (record) => records.push(record));
    log("published 1", "published");
    log("an Envoy rejects", "envoy-rejected");
    expect(records.map(({ event }) => event)).toEqual(["envoy-rejected"]);
  });

  it("is bounded, whatever its texts are", () => {
    const { lines, log } = written("json");
    const fields = { object: "x".repeat(1e6), objects: new Array<string>(1e5).fill("y") };
    log("z".repeat(1e6), "finding-appeared", fields);
    expect(lines[0]?.length).toBeLessThan(6000);
  });

  it("names the cluster where there are several", () => {
    const { lines, log } = written("json");
    logOf(log, "east")("silent", "source-lost", { kind: "services" });
    logOf(log, "")("silent", "source-lost", { kind: "services" });
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { message: "east: silent", cluster: "east", kind: "services" },
      { message: "silent", kind: "services" },
    ]);
  });

  it("of a Worker is JSON, at the console's method of its level", () => {
    const seen: string[] = [];
    const { warn, info } = console;
    console.warn = (line: string) => seen.push(`warn ${line}`);
    console.info = (line: string) => seen.push(`info ${line}`);
    try {
      consoleLog()("published", "published", { sequence: 1 });
      consoleLog()("rejects\n", "envoy-rejected");
    } finally {
      Object.assign(console, { warn, info });
    }
    expect(seen).toEqual([
      'info {"level":"info","event":"published","message":"published","sequence":1}',
      'warn {"level":"warn","event":"envoy-rejected","message":"rejects\\\\u000a"}',
    ]);
  });
});

test("the lines of an event are limited for each minute", () => {
  let now = 0;
  const seen: (readonly [string, LogEvent])[] = [];
  const budget = new LogBudget({
    log: (text, event) => seen.push([text, event]),
    now: () => now,
    maxLines: 2,
  });
  for (let i = 0; i < 5; i++) budget.log(`appeared ${i}`, "finding-appeared");
  budget.log("gone", "finding-gone");
  now = 60_000;
  budget.log("appeared 5", "finding-appeared");
  expect(seen.map(([text]) => text)).toEqual([
    "appeared 0",
    "appeared 1",
    "further lines of the event finding-appeared are omitted for a minute",
    "gone",
    "appeared 5",
  ]);
});

describe("the settings in force", () => {
  it("are those that differ from the defaults, without values that may be credentials", () => {
    const { settings } = parseSettings({
      endpoints: "eds",
      policy: { requestHeaders: { set: { authorization: "Bearer geheim" } } },
    });
    const shown = JSON.stringify(settingsInForce(settings.spec));
    expect(shown).toContain('"endpoints":"eds"');
    expect(shown).toContain('"authorization":"(redacted)"');
    expect(shown).not.toMatch(/geheim|httpPort/);
  });

  it("hide the credentials of URLs in options", () => {
    expect(
      withoutSecrets({ peer: ["https://user:geheim@peer:18000/?token=geheim"], tokens: "tokens.txt" }),
    ).toEqual({
      peer: ["https://(redacted)@peer:18000/?(redacted)"],
      tokens: "tokens.txt",
    });
  });
});

test("docs/monitoring.md lists every event with its level, meaning and fields", () => {
  const page = readFileSync(new URL("../../docs/monitoring.md", import.meta.url), "utf8");
  for (const [event, { level, about, ...rest }] of Object.entries(events)) {
    const fields = "fields" in rest ? rest.fields.map((field) => `\`${field}\``).join(", ") : "";
    expect(page).toContain(`| \`${event}\` | ${level} | ${about} | ${fields} |`);
  }
});

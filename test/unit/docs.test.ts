import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { delegationSpec } from "../../src/schema/delegation.js";
import { extensionServiceSpec } from "../../src/schema/extensionservice.js";
import { httpProxySpec } from "../../src/schema/httpproxy.js";
import { ingressSpec } from "../../src/schema/ingress.js";
import { ingressRouteSpec } from "../../src/schema/ingressroute.js";
import { parseSettings } from "../../src/schema/settings.js";
import { parseSuppressions } from "../../src/schema/suppressions.js";
import { plainPages } from "../docs/plain-pages.js";
import { replaced } from "../docs/replaced.js";
import { type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, parseCase } from "../support/compile.js";
import { commandsOf, pages } from "../support/walk.js";

const root = join(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(join(root, name), "utf8");

interface Step {
  readonly run?: string;
}

interface Block {
  readonly name: string;
  readonly text: string;
}

const blocksOf = (language: string): Block[] =>
  pages.flatMap((file) =>
    [...read(file).matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map(
      ([, text = ""], i) => ({
        name: `${file} #${i + 1}`,
        text,
      }),
    ),
  );

const isRecord = (value: unknown): value is Manifest => typeof value === "object" && value !== null;

/** All values of a key, at any depth. */
function under(value: unknown, key: string): unknown[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...under(inner, key),
  ]);
}

/** The Services and Secrets that an example references and does not contain. */
function surroundings(manifests: readonly Manifest[]): Manifest[] {
  return manifests.flatMap((manifest) => {
    const { namespace = "default" } = manifest.metadata as { namespace?: string };
    const named = [
      ...under(manifest.spec, "services").flat(),
      ...under(manifest.spec, "service"),
      ...under(manifest.spec, "backendRefs").flat(),
    ] as Manifest[];
    const services = named.map((one) => {
      const ports = [one.port, one.healthPort].filter((port) => port !== undefined);
      const all = ports.map((port) => (isRecord(port) ? (port.number ?? 80) : port));
      return {
        ...service(String(namespace), String(one.name)),
        spec: { ports: all.map((port, i) => ({ name: i === 0 ? "http" : "health", port })) },
      };
    });
    const certificates = under(manifest.spec, "certificateRefs").flat() as Manifest[];
    const names = [...under(manifest.spec, "secretName"), ...certificates.map(({ name }) => name)];
    const secrets = names.map((name) => ({
      ...tlsSecret(String(namespace), "secure"),
      metadata: { namespace, name },
    }));
    return [...services, ...secrets];
  });
}

describe("examples in the docs", () => {
  const yaml = blocksOf("yaml");
  it("exist", () => expect(yaml.length).toBeGreaterThan(12));

  it.each(yaml)("$name", ({ text }) => {
    const values = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
    if (values.some((value) => value.suppressions !== undefined)) {
      expect(values.flatMap((value) => parseSuppressions(value).findings)).toEqual([]);
      return;
    }
    if (values.some((value) => value.kind === undefined)) {
      expect(values.flatMap((value) => parseSettings(value).findings)).toEqual([]);
      return;
    }
    const around = surroundings(values).map((one) => JSON.stringify(one));
    const merged = new Map(around.map((one) => [JSON.stringify(JSON.parse(one).metadata) + one.length, one]));
    const gateway = values.find(({ kind }) => kind === "Gateway");
    const settings = gateway && JSON.stringify({ gatewayRef: gateway.metadata });
    const { objects, findings } = parseCase([...merged.values(), text].join("\n---\n"), settings);
    expect(findings).toEqual([]);
    const errors = [...compileAll(objects).findings()].filter(({ severity }) => severity === "error");
    expect(errors).toEqual([]);
  });
});

/** The names of all fields of a schema, at any depth. */
function fieldsOf(schema: unknown, found = new Set<string>()): Set<string> {
  const def = (schema as z.ZodType | undefined)?._zod?.def as unknown as Record<string, unknown> | undefined;
  if (!def) return found;
  if (def.type === "object") {
    for (const [key, field] of Object.entries(def.shape as Record<string, unknown>)) {
      found.add(key);
      fieldsOf(field, found);
    }
  }
  for (const inner of ["innerType", "element", "in", "valueType"]) fieldsOf(def[inner], found);
  return found;
}

describe("documents name every field", () => {
  it.each([
    ["httpproxy.md", httpProxySpec],
    ["extension-service.md", extensionServiceSpec],
    ["delegation.md", delegationSpec],
    ["ingress.md", ingressSpec],
    ["ingressroute.md", ingressRouteSpec],
  ])("%s", (name, schema) => {
    // The page on HTTPProxy documents the fields that other kinds share.
    const text = read(`docs/${name}`) + (name === "extension-service.md" ? read("docs/httpproxy.md") : "");
    const fields = [...fieldsOf(schema)];
    expect(fields.length).toBeGreaterThan(1);
    expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(text))).toEqual([]);
  });
});

describe("links between documents", () => {
  it.each(pages)("%s", (file) => {
    const folder = join(root, file, "..");
    for (const [, target = ""] of read(file).matchAll(/\]\(((?!https?:)[^)#]+)(?:#[^)]*)?\)/g)) {
      expect(existsSync(join(folder, target)), `${file}: ${target}`).toBe(true);
    }
  });
});

describe("commands in the docs", () => {
  const walks = readdirSync(join(root, "test/docs"))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => read(`test/docs/${name}`))
    .join("\n");
  const withCommands = pages.filter((page) => commandsOf(page).length > 0);

  it.each(withCommands)("%s has a walk, which runs them unchanged", (page) => {
    expect(walks.includes(`"${page}"`) || plainPages.includes(page)).toBe(true);
  });

  it.each(replaced)("$page: $command exists, and its replacement is run", ({ page, command, by }) => {
    expect(commandsOf(page)).toContain(command);
    expect(by).not.toContain(command);
  });

  it("are only in sh blocks", () => {
    const others = pages.flatMap((page) =>
      [...read(page).matchAll(/^ *```(?!sh\n|$)(\w*)\n([\s\S]*?)^ *```$/gm)].filter(([, , text = ""]) =>
        /^ *(?:\$ )?(?:isoline|npm|npx|kubectl|curl|envoy) /m.test(text),
      ),
    );
    expect(others.map(([text]) => text)).toEqual([]);
  });
});

describe("the changelog", () => {
  const headings = [...read("CHANGELOG.md").matchAll(/^(##+) (.*)$/gm)].map(([, level, text = ""]) => ({
    level,
    text,
  }));

  it("has Unreleased on top, and then versions with their dates, the newest first", () => {
    const [first = "", ...versions] = headings.filter(({ level }) => level === "##").map(({ text }) => text);
    expect(first).toBe("Unreleased");
    for (const version of versions) expect(version).toMatch(/^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/);
    expect(versions).toEqual([...versions].sort((a, b) => b.localeCompare(a, "en", { numeric: true })));
  });

  it("has the version of package.json, as the lock file has it", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(headings.map(({ text }) => text.split(" - ")[0])).toContain(version);
    expect(JSON.parse(read("package-lock.json"))).toMatchObject({ version, packages: { "": { version } } });
  });

  it("has the kinds of changes of Keep a Changelog", () => {
    const kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    for (const { level, text } of headings) if (level === "###") expect(kinds).toContain(text);
  });
});

describe("workflows for CI", () => {
  it("pin each action to a commit, with its version", () => {
    const actions = [...read("examples/ci/github.yaml").matchAll(/uses: *(.*)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions)
      expect(action).toMatch(/^(?:actions|YOUR-ORGANIZATION)\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(read("examples/ci/gitlab.yaml")).toMatch(/component: .*@[0-9a-f]{40}$/m);
  });

  it("pass only inputs that the action and the component have", () => {
    const { inputs } = parse(read("action.yml")) as { inputs: Record<string, unknown> };
    const { jobs } = parse(read("examples/ci/github.yaml")) as {
      jobs: Record<string, { permissions: object; steps: { uses: string; with: object }[] }>;
    };
    for (const { steps } of Object.values(jobs))
      for (const step of steps.filter(({ uses }) => uses.includes("/isoline@")))
        expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step.with)));
    expect(Object.values(jobs).map(({ permissions }) => permissions)).toEqual([
      { contents: "read", "pull-requests": "write" },
      { contents: "read" },
    ]);
    const [head = ""] = read("templates/isoline.yml").split("\n---\n");
    const { spec } = parse(head) as { spec: { inputs: Record<string, unknown> } };
    const { include } = parse(read("examples/ci/gitlab.yaml")) as { include: { inputs: object }[] };
    expect(Object.keys(spec.inputs)).toEqual(expect.arrayContaining(Object.keys(include[0]?.inputs ?? {})));
  });

  it("publish a release with pinned actions, and each job with the permissions that it needs alone", () => {
    const text = read(".github/workflows/release.yml");
    for (const [, action = ""] of text.matchAll(/uses: *(.*)/g))
      expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const { permissions, jobs } = parse(text) as {
      readonly permissions: object;
      readonly jobs: Readonly<
        Record<string, { readonly permissions: object; readonly steps: readonly Step[] }>
      >;
    };
    expect(permissions).toEqual({});
    const attesting = { "id-token": "write", attestations: "write" };
    expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
      build: { contents: "read", ...attesting },
      npm: { "id-token": "write" },
      image: { contents: "read", packages: "write", ...attesting },
      github: { contents: "write" },
    });
    // Text of an event in a script would be code of whoever wrote it.
    for (const { run } of Object.values(jobs).flatMap(({ steps }) => steps))
      expect(run ?? "").not.toContain("${{");
  });

  const built = join(root, "dist/isoline.js");
  const commands = ["templates/isoline.yml"].flatMap((name) =>
    [...read(name).matchAll(/isoline (\w+) (-.*|".*)/g)].map(([, command = "", rest = ""]) => ({
      name,
      command,
      options: rest.match(/(?<![\w-])--?[a-z][a-z-]*/g) ?? [],
    })),
  );
  it("exist", () => expect(commands.length).toBeGreaterThan(3));

  it.skipIf(!existsSync(built)).each(commands)("$name: $command $options", ({ command, options }) => {
    const help = execFileSync(process.execPath, [built, command, "--help"], { encoding: "utf8" });
    for (const option of options) expect(help).toMatch(new RegExp(`${option}\\b`));
  });
});

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoMachine } from "../support/machine.js";

/**
 * The image of the Containerfile without a container engine: the files of its last stage, taken from the checkout in
 * place of the build stage, with this Node in place of the Node of the base image. They run as an engine runs them: as the image's
 * user, with a read-only root and namespaces of their own.
 */
const root = join(import.meta.dirname, "../..");
const image = mkdtempSync(join(tmpdir(), "isoline-image-"));
afterAll(() => rmSync(image, { recursive: true, force: true }));

const containerfile = readFileSync(join(root, "Containerfile"), "utf8").replaceAll(/\\\n\s*/g, " ");
const stages = containerfile.split(/^(?=FROM )/m).slice(1);
const last = stages.at(-1) ?? "";

/** The arguments of the instructions of a name in the last stage. */
const argumentsOf = (name: string): readonly string[] =>
  [...last.matchAll(new RegExp(`^${name} (.*)$`, "gm"))].map(([, rest = ""]) => rest);
const one = (name: string): string => {
  const found = argumentsOf(name);
  expect(found, name).toHaveLength(1);
  return found[0] ?? "";
};
const words = (name: string): readonly string[] => JSON.parse(one(name)) as string[];
const healthCheck = JSON.parse(one("HEALTHCHECK").replace(/^.*?CMD /, "")) as string[];

/** The files of a path whose last part may be `*.EXTENSION`. */
function expanded(path: string): readonly string[] {
  const extension = /^\*(\.\w+)$/.exec(basename(path))?.[1];
  if (extension === undefined) return [path];
  const names = readdirSync(dirname(path)).filter((name) => name.endsWith(extension));
  return names.map((name) => join(dirname(path), name));
}

/** Does what `COPY --from=build SOURCES... TARGET` does. */
function copy(line: string): void {
  const parts = line.split(" ").filter((part) => !part.startsWith("--"));
  const to = parts.at(-1) ?? "";
  const target = join(image, one("WORKDIR"), to);
  const sources = parts.slice(0, -1).flatMap((part) => {
    expect(part).toMatch(/^\/src\//);
    return expanded(join(root, part.slice("/src/".length)));
  });
  expect(sources.length, line).toBeGreaterThan(0);
  const isFolder = parts.length > 2 || to.endsWith("/");
  mkdirSync(isFolder ? target : dirname(target), { recursive: true });
  for (const source of sources)
    cpSync(source, isFolder ? join(target, basename(source)) : target, { recursive: true });
}

/** Node and its libraries, in the places of the distroless base image. */
function copyNode(): void {
  mkdirSync(join(image, "nodejs/bin"), { recursive: true });
  copyFileSync(process.execPath, join(image, "nodejs/bin/node"));
  for (const [library] of execFileSync("ldd", [process.execPath], { encoding: "utf8" }).matchAll(/\/\S+/g)) {
    mkdirSync(dirname(join(image, library)), { recursive: true });
    copyFileSync(library, join(image, library));
  }
}

const quoted = (command: readonly string[]): string => command.map((word) => `'${word}'`).join(" ");

/** Runs shell text in which `run` runs a program of the image. */
function inImage(text: string): string {
  const script = `set -e
    mount --bind '${image}' '${image}' && mount -o remount,bind,ro '${image}'
    ip link set lo up
    run() { chroot --userspec=${one("USER")} '${image}' "$@"; }
    ${text}`;
  const ran = spawnSync(
    "unshare",
    ["--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", script],
    {
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    },
  );
  expect(ran.status, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout;
}

const why = process.getuid?.() === 0 ? whyNoMachine() : "another user can be taken by root only";

describe.skipIf(why !== undefined)(`the image${why === undefined ? "" : `: ${why}`}`, () => {
  beforeAll(() => {
    copyNode();
    argumentsOf("COPY").forEach(copy);
    chmodSync(image, 0o755);
  });

  it("runs the command, as a user without rights on a root that is read-only", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    const write =
      'try { require("fs").writeFileSync("/app/x", "") } catch (e) { console.log(e.code, process.getuid()) }';
    const [first, second] = inImage(`
      run ${quoted([...words("ENTRYPOINT"), "--version"])}
      run /nodejs/bin/node -e '${write}'`).split("\n");
    expect(first).toMatch(new RegExp(`^${version}( |$)`));
    expect(second).toBe("EROFS 65532");
    expect(inImage(`run ${quoted([...words("ENTRYPOINT"), ...words("CMD")])}`)).toContain("Usage: isoline");
  });

  it.each(["http", "https"])("is healthy when the server answers over %s, and not before", (protocol) => {
    const certificate = join(root, "test/support/certs/loopback");
    const tls = "--tls-cert-file /data/tls.crt --tls-key-file /data/tls.key";
    mkdirSync(join(image, "data"), { recursive: true });
    for (const end of ["crt", "key"] as const) {
      copyFileSync(`${certificate}.${end}`, join(image, `data/tls.${end}`));
      chmodSync(join(image, `data/tls.${end}`), 0o644);
    }
    const check = `run ${quoted(healthCheck)}`;
    const output = inImage(`
      ${check} && exit 1 || echo not yet
      run ${quoted(words("ENTRYPOINT"))} serve --push --listen 127.0.0.1:18000 ${protocol === "https" ? tls : ""} >&2 &
      for _ in $(seq 600); do if ${check}; then echo healthy; exit 0; fi; sleep 0.1; done
      exit 1`);
    expect(output).toBe("not yet\nhealthy\n");
  });

  it("is not healthy while the port accepts connections and nothing answers", () => {
    const hung = "require('net').createServer().listen(18000, '127.0.0.1', () => console.log('listens'))";
    const output = inImage(`
      coproc run /nodejs/bin/node -e "${hung}"
      read -r line <&"\${COPROC[0]}" && echo "$line"
      run ${quoted(healthCheck)} && exit 1 || echo unhealthy
      kill %1`);
    expect(output).toBe("listens\nunhealthy\n");
  });

  it("has no source map, no tests and no package for development", () => {
    const files = readdirSync(join(image, "app"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /\.map$|\.test\./.test(file))).toEqual([]);
    expect(readdirSync(join(image, "app/node_modules"))).toEqual(["node-sqlite3-wasm"]);
  });
});

describe("the Containerfile", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly version: string;
    readonly license: string;
    readonly dependencies: object;
  };

  it("has the version, the licence and all packages of package.json", () => {
    expect(last).toContain(`\nARG VERSION=${manifest.version}\n`);
    expect(last).toContain(`image.licenses="${manifest.license}"`);
    for (const name of Object.keys(manifest.dependencies))
      expect(last).toContain(`/src/node_modules/${name} `);
  });

  it("has the OCI labels that registries and scanners show", () => {
    for (const label of ["title", "description", "licenses", "version", "revision", "base.name"])
      expect(last).toContain(`org.opencontainers.image.${label}=`);
    expect(last).toContain(`base.name="${/^FROM (\S+)/.exec(last)?.[1]}"`);
  });
});

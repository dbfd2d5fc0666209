import { execFileSync, spawnSync } from "node:child_process";

const variable = "ISOLINE_NETNS";

/**
 * Runs this program again in a new network namespace whose loopback has these additional addresses: EndpointSlices of
 * a real API server may not contain 127.0.0.1. Returns once inside; the outer process ends with the exit code of the
 * inner one. Requires root.
 */
export function enterNamespace(addresses: readonly string[]): void {
  if (process.env[variable]) return;
  const name = `isoline-${process.pid}`;
  const ip = (...args: readonly string[]): unknown => execFileSync("ip", args, { stdio: "inherit" });
  ip("netns", "add", name);
  let status = 1;
  try {
    ip("-n", name, "link", "set", "lo", "up");
    for (const address of addresses) ip("-n", name, "addr", "add", `${address}/32`, "dev", "lo");
    const args = ["netns", "exec", name, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const env = { ...process.env, [variable]: name };
    status = spawnSync("ip", args, { stdio: "inherit", env }).status ?? 1;
  } finally {
    ip("netns", "del", name);
  }
  process.exit(status);
}

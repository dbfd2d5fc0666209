import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

const OLDEST_NODE = [20, 19];
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/;

/** Checks Node's version and installs missing locked packages. Returns whether the checkout is ready. */
export async function setup() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    console.error(`isoline: Node ${OLDEST_NODE.join(".")} or newer is required, this is ${process.version}`);
    return false;
  }
  return isInstalled() || (await install());
}

/** Compares npm's record of node_modules with the lock file; optional packages may be missing. */
function isInstalled() {
  const installed = packagesOf("node_modules/.package-lock.json");
  if (!installed) return false;
  return Object.entries(packagesOf("package-lock.json") ?? {}).every(
    ([path, { version, optional }]) => path === "" || optional || installed[path]?.version === version,
  );
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), "utf8")).packages;
  } catch {
    return undefined;
  }
}

function install() {
  console.log("isoline: installing the locked packages (npm ci) …");
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "inherit", "pipe"],
    shell: process.platform === "win32",
  });
  let complaints = "";
  npm.stderr.on("data", (chunk) => {
    complaints += chunk;
    process.stderr.write(chunk);
  });
  return new Promise((resolve) => {
    npm.on("error", (error) => {
      console.error(`isoline: npm did not start: ${error.message}`);
      resolve(false);
    });
    npm.on("close", (code) => {
      if (code !== 0 && NO_NETWORK.test(complaints)) {
        console.error(
          "isoline: the package registry could not be reached. Run `npm ci` once with a network; later steps need no network.",
        );
      } else if (code !== 0) console.error("isoline: npm ci failed, see above");
      resolve(code === 0);
    });
  });
}

if (isMain(import.meta)) process.exitCode = (await setup()) ? 0 : 1;

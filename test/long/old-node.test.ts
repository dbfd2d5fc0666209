import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const exec = promisify(execFile);
const program = join(import.meta.dirname, "../../dist/isoline.js");

/** `test/servers/package.test.ts` has the short test, with a Node that only says that it is old. */
test.each(["12", "16", "18"])(
  "on Node %s the command prints one line with the needed version",
  async (major) => {
    // The npm package `node` has the releases of Node.
    const npm = ["exec", "--yes", `--package=node@${major}`, "--", "node", "-p", "process.execPath"];
    const { stdout } = await exec("npm", npm, { cwd: tmpdir() });
    const node = stdout.trim();
    const { stdout: version } = await exec(node, ["--version"]);
    await expect(exec(node, [program, "check", "-f", "."])).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: `isoline: Node 20.19 or newer is required; this is Node ${version.trim().slice(1)}\n`,
    });
  },
);

import { fileURLToPath } from "node:url";
import { messageOf } from "../schema/words.js";
import { runAction } from "./run.js";

try {
  process.exitCode = await runAction({
    env: process.env,
    cli: fileURLToPath(new URL("isoline.mjs", import.meta.url)),
    log: (line) => void process.stdout.write(`${line}\n`),
  });
} catch (error) {
  console.log(`::error title=isoline::${messageOf(error).replaceAll(/[\r\n]+/g, " ")}`);
  process.exitCode = 2;
}

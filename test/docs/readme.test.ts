import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type Machine, untilPrinted } from "../support/machine.js";
import { untilAnswered, walk } from "../support/walk.js";

const ask = "-H 'Host: blue-green.echo.com' http://127.0.0.1:8080/";

/** The edit that the page asks for. */
async function editBlueToGreen(machine: Machine): Promise<void> {
  await untilAnswered(machine, ask, /"service":"blue"/);
  const file = "examples/quickstart/blue-green.yaml";
  await writeFile(join(machine.folder, file), machine.read(file).replaceAll("name: blue", "name: green"));
  await untilAnswered(machine, ask, /"service":"green"/);
}

/** The backends on the ports that examples/quickstart-local names. */
async function startBackends(machine: Machine): Promise<void> {
  const answer = "(q, r) => r.end('on ' + q.socket.localPort + '\\n')";
  const code = `for (let port = 18081; port < 18086; port++) require('http').createServer(${answer}).listen(port, '127.0.0.1', () => console.log(port))`;
  await untilPrinted(machine.start(`node -e "${code}"`), /18085/);
}

walk("README.md", {
  after: {
    "curl -H 'Host: blue-green.echo.com'": editBlueToGreen,
    "npm link": async (machine) =>
      expect(await machine.must("readlink $(which isoline)")).toContain("node_modules/isoline"),
    "envoy -c": async (machine) => {
      await startBackends(machine);
      await untilAnswered(machine, "-H 'Host: echo.com' http://127.0.0.1:8080/", /^on 18081$/m);
      await untilAnswered(machine, ask, /^on 18083$/m);
    },
  },
  interrupt: { "npm run build": "demo" },
});

import { expect } from "vitest";
import { untilPrinted } from "../support/machine.js";
import { certificateFor, ownManifests, untilAnswered, untilShopIsServed, walk } from "../support/walk.js";

const bearer = (name: string): string => `authorization: Bearer $(cat ${name}.token)`;
const hosts = "-H 'Host: shop.example.com' http://127.0.0.1:8080/x";

walk("docs/security.md", {
  given: async (machine) => {
    await ownManifests(machine);
    await certificateFor(machine, "xds.example.com");
    machine.trust(machine.read("ca.crt"));
    await machine.must("isoline token node --name edge --file tokens.txt --envoy-file token.json");
    await machine.must("isoline token publish --name ci --source web --file tokens.txt > ci.token");
    const flags = "--listen 0.0.0.0:443 --tokens tokens.txt --tls-cert-file tls.crt --tls-key-file tls.key";
    await untilPrinted(machine.start(`exec isoline serve --push ${flags}`), /serves xDS on/);
    await machine.must(
      "isoline publish -f manifests/ --to https://xds.example.com --source web --token-file ci.token",
    );
  },
  before: {
    // The server reads the new token within a second.
    "curl -f -X DELETE": (machine) =>
      untilAnswered(machine, `-H "${bearer("admin")}" https://xds.example.com/status`, /"sources"/),
  },
  after: {
    "isoline token read --name dashboard-2": (machine) =>
      untilAnswered(machine, `-H "${bearer("dashboard")}" https://xds.example.com/status`, /"sources"/),
    "isoline token revoke dashboard": async (machine) => {
      expect(machine.read("tokens.txt")).not.toMatch(/name=dashboard$/m);
      expect(machine.read("tokens.txt")).toMatch(/name=dashboard-2$/m);
    },
    "envoy -c": (machine) => untilShopIsServed(machine),
    "curl -f -X DELETE": (machine) => untilAnswered(machine, hosts, /Couldn't connect|not found/),
  },
});

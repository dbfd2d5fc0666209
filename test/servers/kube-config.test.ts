import { generateKeyPairSync, sign } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { getJson, type Transport } from "../../src/kubernetes/api.js";
import { failureOf } from "../../src/kubernetes/failures.js";
import { kubeTransport } from "../../src/kubernetes/node/transport.js";
import type { Manifest } from "../support/backend.js";
import {
  ascii,
  bits,
  certificateOf,
  commonName,
  dnsNames,
  extensionList,
  pem,
  sequence,
  sha256WithRsa,
} from "../support/der-writer.js";
import { eventually } from "../support/envoy.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-kubeconfig-"));
const never = new AbortController().signal;
let server: Server;
let accepted = "";
let seen: string[] = [];
const log: string[] = [];

beforeEach(async () => {
  seen = [];
  accepted = "";
  log.length = 0;
  server = createServer((request, response) => {
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    seen.push(token);
    response.statusCode = accepted === "" || token === accepted ? 200 : 401;
    response.end("{}");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const portOf = (one: Server): number => (one.address() as AddressInfo).port;

function writeConfig(user: Manifest, cluster: Manifest = {}, context = "c"): string {
  const file = join(folder, "config");
  const here = { server: `http://127.0.0.1:${portOf(server)}`, "insecure-skip-tls-verify": true, ...cluster };
  writeFileSync(
    file,
    JSON.stringify({
      clusters: [
        { name: "k", cluster: here },
        { name: "other", cluster: { ...here, server: "http://127.0.0.1:1" } },
      ],
      users: [{ name: "u", user }],
      contexts: [
        { name: "c", context: { cluster: "k", user: "u" } },
        { name: "elsewhere", context: { cluster: "other", user: "u" } },
      ],
      "current-context": context,
    }),
  );
  return file;
}

const open = (kubeconfig: string): Promise<Transport> =>
  kubeTransport({ kubeconfig }, (line) => void log.push(line));
const ask = (transport: Transport): Promise<unknown> => getJson(transport, "/api", never);

describe("a kubeconfig that changes while it is in use", () => {
  it("gives the current token, within a second or when the old one is refused", async () => {
    const transport = await open(writeConfig({ token: "one" }));
    await ask(transport);
    writeConfig({ token: "two" });
    accepted = "two";
    await ask(transport);
    expect(seen).toEqual(["one", "one", "two"]);
    writeConfig({ token: "three" });
    accepted = "";
    await eventually(async () => {
      await ask(transport);
      return seen.at(-1) === "three";
    }, "the file is looked at again");
  });

  it("keeps its context, whatever the file's current one is", async () => {
    const transport = await open(writeConfig({ token: "one" }));
    writeConfig({ token: "two" }, {}, "elsewhere");
    accepted = "two";
    await ask(transport);
    expect(seen.at(-1)).toBe("two");
  });

  it("is used with its last content when it can no longer be read, which is logged once", async () => {
    const file = writeConfig({ token: "one" });
    const transport = await open(file);
    await ask(transport);
    writeFileSync(file, "users: [");
    await eventually(async () => {
      await ask(transport);
      return log.length > 0;
    }, "the broken file is looked at");
    await ask(transport);
    expect(new Set(seen)).toEqual(new Set(["one"]));
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(
      /^kube-credentials: the kubeconfig can't be read again: .*; its last content is used$/s,
    );
  });

  it("reads tokenFile again, prefers it to token, and keeps its last token after it is deleted", async () => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "from-file\n");
    const transport = await open(writeConfig({ token: "inline", tokenFile: "token" }));
    await ask(transport);
    writeFileSync(tokenFile, "renewed\n");
    accepted = "renewed";
    await ask(transport);
    rmSync(tokenFile);
    await ask(transport);
    expect(seen).toEqual(["from-file", "from-file", "renewed", "renewed"]);
  });

  /** A program that prints the token in a file, and records each run. */
  function program(token: string): Manifest {
    const [script, source, runs] = ["plugin.sh", "exec-token", "runs"].map((name) => join(folder, name));
    writeFileSync(source ?? "", token);
    writeFileSync(
      script ?? "",
      `#!/bin/sh\necho run >> ${runs}\nsleep 0.2\necho "{\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"$(cat ${source})\\"}}"\n`,
    );
    chmodSync(script ?? "", 0o700);
    return {
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: script, interactiveMode: "Never" },
    };
  }

  it("runs its program once for concurrent requests, and again when the token is refused", async () => {
    const transport = await open(writeConfig(program("first")));
    await Promise.all(Array.from({ length: 10 }, () => ask(transport)));
    expect(seen).toEqual(Array.from({ length: 10 }, () => "first"));
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("run\n");
    program("second");
    accepted = "second";
    await ask(transport);
    expect(seen.at(-1)).toBe("second");
  });

  it("reports the error of its program", async () => {
    const transport = await open(writeConfig({ exec: { command: join(folder, "nowhere") } }));
    const error: unknown = await ask(transport).catch((reason: unknown) => reason);
    const { code, message } = failureOf({ plural: "secrets", apiVersion: "v1" }, error, "https://kube.test");
    expect(code).toBe("kube-credentials");
    expect(message).toContain("ENOENT");
  });
});

describe("TLS towards an API server", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const days = (from: string, until: string): Buffer =>
    sequence(ascii(0x18, `${from}000000Z`), ascii(0x18, `${until}000000Z`));

  /** A self-signed certificate. */
  function certificate(name: string, validity = days("20200101", "21000101")): string {
    const parts = {
      issuer: commonName(name),
      subject: commonName(name),
      validity,
      extensions: extensionList(dnsNames(name)),
    };
    const unsigned = certificateOf(publicKey.export({ type: "spki", format: "der" }), parts);
    // The body is the first element of the outer sequence.
    const length = unsigned.readUInt16BE(6) + 4;
    const signature = sign("sha256", unsigned.subarray(4, 4 + length), privateKey);
    return pem("CERTIFICATE", sequence(unsigned.subarray(4, 4 + length), sha256WithRsa, bits(signature)));
  }

  const failureWith = async (served: string, trusted: string | undefined): Promise<string> => {
    const tls = createTlsServer({ cert: served, key }, (_, response) => response.end("{}"));
    await new Promise<void>((done) => tls.listen(0, "127.0.0.1", done));
    try {
      const transport = await open(
        writeConfig(
          {},
          {
            server: `https://localhost:${portOf(tls)}`,
            "insecure-skip-tls-verify": false,
            ...(trusted ? { "certificate-authority-data": Buffer.from(trusted).toString("base64") } : {}),
          },
        ),
      );
      const error = await ask(transport).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) return "none";
      return failureOf({ plural: "secrets", apiVersion: "v1" }, error, "https://kube.test").code;
    } finally {
      tls.closeAllConnections();
      await new Promise((done) => tls.close(done));
    }
  };

  it("reports which of its parts is wrong", async () => {
    const good = certificate("localhost");
    expect(await failureWith(good, good)).toBe("none");
    expect(await failureWith(good, undefined)).toBe("kube-tls-authority");
    const other = certificate("other.test");
    expect(await failureWith(other, other)).toBe("kube-tls-name");
    const old = certificate("localhost", days("20200101", "20210101"));
    expect(await failureWith(old, old)).toBe("kube-tls-expired");
    const early = certificate("localhost", days("20900101", "21000101"));
    expect(await failureWith(early, early)).toBe("kube-tls-not-yet-valid");
  });

  it("reports a server that does not use it, or does not exist", async () => {
    const asked = async (url: string): Promise<string> => {
      const transport = await open(writeConfig({}, { server: url, "insecure-skip-tls-verify": false }));
      const error: unknown = await ask(transport).catch((reason: unknown) => reason);
      return failureOf({ plural: "secrets", apiVersion: "v1" }, error, url).code;
    };
    expect(await asked(`https://127.0.0.1:${portOf(server)}`)).toBe("kube-tls-protocol");
    expect(await asked("https://127.0.0.1:1")).toBe("kube-unreachable");
    expect(await asked("https://nowhere.invalid")).toBe("kube-unknown-host");
  });
});

import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { tokenAuth } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { engineOf } from "./engine.js";

/**
 * An app with all parts of the HTTP surface, over an empty store. The token `test` has the roles `admin` and `node`; the
 * log is kept.
 */
export function apiRig() {
  const logged: string[] = [];
  const hub = new Hub({ now: () => 0, log: (line) => void logged.push(line) });
  const platform = { checkKeyPair: () => undefined };
  const engine = engineOf(createMemoryStore(), { outlet: hub, platform, now: () => 0 });
  const sources = new PushedSources(engine);
  sources.start();
  const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    hooks: {
      ring: () => undefined,
      review: () => ({ allowed: true, errors: [], warnings: [] }),
      concerns: () => true,
    },
    holds: () => [
      {
        cluster: "",
        source: { holds: () => [], acceptShrink: (kind) => (kind === "Secret" ? 0 : undefined) },
      },
    ],
    standing: () => ({ silentMs: 0, fresh: true, aside: false }),
    authenticate: tokenAuth({
      tokens: () => parseTokens(`admin sha256:${digest} name=ops\nnode sha256:${digest} name=edge`),
      now: () => 0,
      requireTls: false,
    }),
    status: () => statusReport(engine, sources),
  });
  return { app, logged };
}

/** The levels of log lines, from the least to the most important. */
export const levels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof levels)[number];

/** An event with its level, its meaning, and the fields that its lines may have. */
interface EventDefinition {
  readonly level: LogLevel;
  readonly about: string;
  readonly fields?: readonly string[];
}

const defined = <T extends Readonly<Record<string, EventDefinition>>>(table: T): T => table;

/**
 * Every event of the log. Names and fields are stable: programs filter by them. `docs/operations.md` has the same table
 * (`test/unit/log.test.ts`).
 */
export const events = defined({
  started: {
    level: "info",
    about:
      "The server serves; with the options and settings in force. Values that may be secrets are redacted.",
    fields: ["url", "version", "commit", "options", "settings"],
  },
  stopped: { level: "info", about: "The server ends after a signal.", fields: ["signal"] },
  published: {
    level: "info",
    about: "Other configuration is served than before.",
    fields: ["sequence", "causes", "hosts", "hostCount", "types", "seconds"],
  },
  "endpoints-published": {
    level: "debug",
    about: "The same, where only endpoints differ, as after each restart of a Pod.",
    fields: ["sequence", "causes", "types", "seconds"],
  },
  "publication-failed": {
    level: "error",
    about: "A publication failed; the last one stays. It is tried again.",
  },
  "change-not-described": { level: "warn", about: "A publication has no description in the history." },
  "envoy-accepted": {
    level: "info",
    about: "An Envoy accepts a type for the first time, or again after it rejected a version.",
    fields: ["node", "token", "type", "names", "version"],
  },
  "envoy-rejected": {
    level: "warn",
    about: "An Envoy rejects a version and keeps the one before.",
    fields: ["node", "token", "type", "names", "version", "kept"],
  },
  "envoy-cluster-name": {
    level: "warn",
    about: "An Envoy's bootstrap has a further name for the xDS cluster; its polls are refused.",
    fields: ["node", "token"],
  },
  "poll-failed": {
    level: "warn",
    about: "A poll gets an error.",
    fields: ["path", "from", "status", "code"],
  },
  "envoys-not-remembered": {
    level: "warn",
    about: "More Envoys poll than are remembered; unused clusters are served until their time is over.",
  },
  "holds-shortened": {
    level: "warn",
    about: "Something cuts held polls; those of the token are held for a shorter time for an hour.",
    fields: ["token", "cutSeconds", "holdSeconds"],
  },
  "answer-too-large": { level: "error", about: "The answer for a type can't be sent.", fields: ["type"] },
  "versions-raised": {
    level: "warn",
    about: "An Envoy had a higher version than the served one.",
    fields: ["sequence"],
  },
  "sources-missing": {
    level: "warn",
    about: "The store was lost, and an Envoy has sources that were not pushed again.",
    fields: ["node", "token", "missing"],
  },
  "authentication-failed": {
    level: "warn",
    about: "A request is refused: no valid token, none with the role of its path, or another host or origin.",
    fields: ["from", "method", "path", "status", "code", "token"],
  },
  admin: {
    level: "info",
    about: "A change by the role admin, or a rollback: the audit log.",
    fields: ["method", "path", "token", "tokenId", "status"],
  },
  "token-added": { level: "info", about: "The file of tokens has a further token." },
  "token-removed": { level: "info", about: "The file of tokens lost a token." },
  "tokens-not-read": { level: "error", about: "The file of tokens can't be read; the last tokens stay." },
  "tokens-problem": { level: "warn", about: "A line of the tokens is not valid, or there is no token." },
  "certificate-reloaded": {
    level: "info",
    about: "New connections get another certificate of the server.",
    fields: ["file"],
  },
  "certificate-not-read": {
    level: "error",
    about: "The server's certificate can't be read; the last one stays.",
  },
  "certificate-out-of-date": {
    level: "error",
    about: "The server's certificate is expired, or not valid yet.",
  },
  "finding-appeared": {
    level: "warn",
    about: "An object has a finding that it did not have.",
    fields: ["object", "severity", "type", "reason", "path"],
  },
  "finding-gone": {
    level: "info",
    about: "An object no longer has a finding.",
    fields: ["object", "severity", "type", "reason", "path"],
  },
  "source-lost": {
    level: "error",
    about: "A source, or a kind of a cluster, can't be read; its last good state is served.",
    fields: ["source", "cluster", "kind", "code"],
  },
  "source-back": {
    level: "info",
    about: "It is read again.",
    fields: ["source", "cluster", "kind", "code", "seconds"],
  },
  "source-stored": {
    level: "info",
    about: "The stored state of a cluster is served until it has answered for every kind.",
    fields: ["cluster"],
  },
  "watch-stalled": {
    level: "warn",
    about: "A watch went silent and is opened again.",
    fields: ["cluster", "kind", "code"],
  },
  "kind-absent": { level: "info", about: "A cluster has no CRD of a kind.", fields: ["cluster", "kind"] },
  "deletions-held": {
    level: "warn",
    about: "A list lacks objects, or is not trusted; its deletions wait for confirmation.",
    fields: ["cluster", "kind", "code"],
  },
  "deletions-confirmed": {
    level: "info",
    about: "An administrator confirmed what waited.",
    fields: ["cluster", "kind", "objects"],
  },
  "stepping-aside": {
    level: "warn",
    about: "The API server is silent; Envoys are sent to an up-to-date replica.",
    fields: ["peer"],
  },
  "api-server-silent": {
    level: "warn",
    about: "The API server is silent, and no other replica is known to be up to date.",
  },
  "api-server-answers": { level: "info", about: "The API server answers again." },
  "kube-credentials": {
    level: "warn",
    about: "The kubeconfig, or its credentials, can't be renewed or name another server.",
    fields: ["cluster"],
  },
  "apply-interrupted": {
    level: "warn",
    about: "The server ended while it applied its files; it waits before it applies them again.",
  },
  "apply-failed": {
    level: "error",
    about: "A pushed content can't be applied.",
    fields: ["source", "revision"],
  },
  "objects-kept": {
    level: "warn",
    about: "Objects of a push are not valid and keep their text before.",
    fields: ["objects"],
  },
  "store-in-memory": { level: "warn", about: "Pushes are kept in memory only." },
  "store-damaged": {
    level: "error",
    about: "The store is damaged, and is rebuilt as far as its content can be read.",
  },
  "status-lease": {
    level: "info",
    about: "This replica starts or stops to write statuses.",
    fields: ["cluster", "leads"],
  },
  "status-not-written": {
    level: "warn",
    about: "A status, the lease or a ServiceAccount can't be written.",
    fields: ["cluster"],
  },
  "object-failed": {
    level: "error",
    about: "The Durable Object of a fleet does not answer.",
    fields: ["fleet"],
  },
  "setting-ignored": {
    level: "warn",
    about: "A variable of the Worker has no valid value; its default is used.",
    fields: ["name"],
  },
  "traces-not-sent": { level: "warn", about: "Traces can't be sent to the collector." },
  "internal-error": { level: "error", about: "An unexpected error; the request was answered 500." },
  "lines-omitted": {
    level: "warn",
    about: "Further lines of an event are omitted for a while.",
    fields: ["of"],
  },
});

export type LogEvent = keyof typeof events;

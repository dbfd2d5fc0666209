import { computed, effect, signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { HostRow } from "../server/hosts.js";
import { address, addressOf, setQuery } from "./address.js";
import { ask, overview } from "./api.js";
import { Paced } from "./paced.js";
import { VirtualList } from "./virtual-list.js";
import { counted, Empty, Failure, number, Sign } from "./words.js";

const pageSize = 2000;
const rows = signal<readonly HostRow[] | undefined>(undefined);
const progress = signal("");
const failure = signal("");

/** Changes whenever a row may have changed. */
const version = computed(() => {
  const { hosts, findings, last } = overview.value ?? {};
  return JSON.stringify([hosts, findings, last?.number, last?.at]);
});

const stateOrder: readonly HostRow["state"][] = ["failing", "errors", "empty", "served"];
const { compare } = new Intl.Collator("en", { numeric: true });

const worstFirst = (a: HostRow, b: HostRow): number =>
  stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state) ||
  compare(a.host, b.host) ||
  compare(a.gateway ?? "", b.gateway ?? "");

/** Loads all hosts, page by page. A list that could not be loaded completely is not shown. */
async function load(): Promise<void> {
  const all: HostRow[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { total: number; hosts: HostRow[]; next?: number } = await ask(
      `hosts?limit=${pageSize}&after=${after}`,
    );
    all.push(...page.hosts);
    after = page.next;
    if (!rows.value) progress.value = `${number(all.length)} of ${number(page.total)} hosts`;
  }
  rows.value = all.sort(worstFirst);
  failure.value = "";
}

let loaded = "";

const reload = new Paced(
  async () => {
    loaded = version.value;
    try {
      await load();
    } catch (error) {
      loaded = "";
      failure.value = error instanceof Error ? error.message : String(error);
    }
  },
  { leastRestMs: 1000, restTimes: 10 },
);

effect(() => {
  if (overview.value && address.value.view === "hosts" && loaded !== version.value) reload.ask();
});

const states = {
  served: { level: "good", label: "served" },
  empty: { level: "warning", label: "no endpoints" },
  errors: { level: "warning", label: "served, with errors" },
  failing: { level: "bad", label: "not served" },
} as const;

const searched = (row: HostRow): string =>
  [
    row.host,
    ...row.listeners.flatMap(({ gateway, listener, addresses }) => [gateway, listener, ...addresses]),
    ...row.owners,
    ...row.services,
  ]
    .join("\n")
    .toLowerCase();
const searchTexts = new WeakMap<HostRow, string>();

function textOf(row: HostRow): string {
  const known = searchTexts.get(row) ?? searched(row);
  searchTexts.set(row, known);
  return known;
}

export const namespacesOf = ({ owners }: HostRow): readonly string[] => [
  ...new Set(owners.map((owner) => owner.split("/")[1] ?? "")),
];

const isPhone = matchMedia("(max-width: 40rem)");

const listenersOf = ({ tables, listeners }: HostRow): string =>
  listeners.length > 0
    ? listeners.map(({ listener, port, addresses }) => `${listener} ${addresses[0] ?? ""}:${port}`).join(", ")
    : mainListeners(tables);

const mainListeners = (tables: HostRow["tables"]): string =>
  tables
    .map(
      (table) => ({ ingress_http: "HTTP", ingress_https: "HTTPS", ingress_fallbackcert: "" })[table] ?? table,
    )
    .filter(Boolean)
    .join(", ");

const Row = ({ row }: { readonly row: HostRow }) => {
  const { level, label } = states[row.state];
  const more = row.serviceCount - row.services.length;
  return (
    <>
      <span role="cell" class="cell-host">
        <Sign level={level} label={label} />
        <a href={addressOf("host", row.host, { gateway: row.gateway, address: row.address })}>{row.host}</a>
        {row.gateway && (
          <span class="badge" title={`Gateway ${row.gateway}`}>
            {row.gateway}
          </span>
        )}
        {row.errors > 0 && <span class="badge badge-warning">{counted(row.errors, "error")}</span>}
        {row.state === "empty" && <span class="badge badge-warning">no endpoints</span>}
        {row.owners.length > 1 && (
          <span class="badge" title={row.owners.join(", ")}>
            {row.owners.length} claims
          </span>
        )}
      </span>
      <span role="cell" class="cell-quiet" title={listenersOf(row)}>
        {listenersOf(row)}
      </span>
      <span role="cell" class="cell-quiet">
        {row.routes > 0 ? counted(row.routes, "route") : ""}
      </span>
      <span role="cell" class="cell-names" title={row.services.join(", ")}>
        {row.services.join(", ")}
        {more > 0 ? ` and ${more} more` : ""}
      </span>
      <span role="cell" class="cell-names" title={row.owners.join(", ")}>
        {row.owners[0] ?? ""}
      </span>
    </>
  );
};

const Head = () => (
  <>
    {["Host", "Listeners", "Routes", "Services", "Object"].map((title) => (
      <span key={title} role="columnheader">
        {title}
      </span>
    ))}
  </>
);

/** The number of listed hosts, and of those that are not served. */
function countOf(found: readonly HostRow[], all: number | undefined): string {
  const failing = found.filter(({ state }) => state === "failing").length;
  const shown =
    all === undefined ? counted(found.length, "host") : `${number(found.length)} of ${counted(all, "host")}`;
  return failing > 0 ? `${shown}, ${number(failing)} not served` : shown;
}

export function Hosts() {
  const { query } = address.value;
  const text = query.get("q") ?? "";
  const state = query.get("state") ?? "";
  const namespace = query.get("namespace") ?? "";
  const gateway = query.get("gateway") ?? "";
  const phone = useSignal(isPhone.matches);
  useEffect(() => {
    const look = (): void => {
      phone.value = isPhone.matches;
    };
    isPhone.addEventListener("change", look);
    return () => isPhone.removeEventListener("change", look);
  }, []);
  const title = useSignal("");
  useSignalEffect(() => {
    title.value = rows.value ? "" : progress.value;
  });
  const change = (changed: Record<string, string>): void =>
    setQuery({ q: text, state, namespace, gateway, ...changed });
  const all = rows.value ?? [];
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const namespaces = [...new Set(all.flatMap(namespacesOf))].sort();
  const gateways = [...new Set(all.flatMap(({ gateway: own }) => own ?? []))].sort();
  const found = all.filter(
    (row) =>
      (state === "" || row.state === state) &&
      (namespace === "" || namespacesOf(row).includes(namespace)) &&
      (gateway === "" || row.gateway === gateway) &&
      words.every((word) => textOf(row).includes(word)),
  );
  const isFiltered = words.length > 0 || state !== "" || namespace !== "" || gateway !== "";
  return (
    <section aria-labelledby="hosts-title">
      <h2 id="hosts-title" class="visually-hidden">
        Hosts
      </h2>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="search">
          <span class="visually-hidden">Search hosts, Services and objects</span>
          <input
            type="search"
            placeholder="Search hosts, Services, objects"
            value={text}
            onInput={(event) => change({ q: event.currentTarget.value })}
          />
        </label>
        <label>
          <span class="visually-hidden">State</span>
          <select value={state} onChange={(event) => change({ state: event.currentTarget.value })}>
            <option value="">All states</option>
            {Object.entries(states).map(([value, { label }]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="visually-hidden">Namespace</span>
          <select value={namespace} onChange={(event) => change({ namespace: event.currentTarget.value })}>
            <option value="">All namespaces</option>
            {namespaces.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {gateways.length > 0 && (
          <label>
            <span class="visually-hidden">Gateway</span>
            <select value={gateway} onChange={(event) => change({ gateway: event.currentTarget.value })}>
              <option value="">All Gateways</option>
              {gateways.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <output class="result-count">
          {rows.value ? countOf(found, isFiltered ? all.length : undefined) : title.value}
        </output>
      </form>
      <Failure text={failure.value} />
      {rows.value && found.length === 0 ? (
        <Empty title={isFiltered ? "No host matches" : "No host is served yet"}>
          {isFiltered ? (
            <button type="button" onClick={() => setQuery({})}>
              Show all hosts
            </button>
          ) : (
            <p>
              Push or apply an HTTPProxy, an Ingress or a route of the Gateway API, and its host appears here.
            </p>
          )}
        </Empty>
      ) : (
        <VirtualList
          items={found}
          rowHeight={phone.value ? 76 : 46}
          label="Hosts"
          head={<Head />}
          keyOf={(row) => `${row.host} ${row.gateway ?? ""}`}
          row={(row) => <Row row={row} />}
        />
      )}
    </section>
  );
}

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Explanation } from "../explain/explanation.js";
import { address, addressOf } from "./address.js";
import { overview } from "./api.js";
import { useResource } from "./resource.js";
import { Choices, Copy, counted, Failure } from "./words.js";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const fields = ["method", "url", "header", "gateway", "address"] as const;
const maxTried = 50;

const levels: Readonly<Partial<Record<Explanation["outcome"], string>>> = {
  forward: "good",
  redirect: "good",
  respond: "good",
  tcp: "good",
  udp: "good",
};

function Answer({ found }: { readonly found: Explanation }) {
  const {
    summary,
    outcome,
    listener,
    virtualHost,
    route,
    chain,
    facts,
    backends,
    tried,
    hints,
    claimants = [],
  } = found;
  const rows: (readonly [string, string])[] = [
    ...(listener ? [["listener", `${listener.name} ${listener.address}:${listener.port}`] as const] : []),
    ...(listener?.seat
      ? [["Gateway", `${listener.seat.gateway}, listener ${listener.seat.listener}`] as const]
      : []),
    ...(found.origin ? [["comes from", `${found.origin.ref} ${found.origin.field}`] as const] : []),
    ...(virtualHost ? [["host", `${virtualHost.name} of ${virtualHost.table}`] as const] : []),
    ...(route ? [["route", `${route.match} (number ${route.index + 1})`] as const] : []),
    ...(route?.origin ? [["comes from", `${route.origin.ref} ${route.origin.field}`] as const] : []),
    ...[...(chain?.facts ?? []), ...facts].map(({ what, value }) => [what, value] as const),
    ...(claimants.length > 0 ? [["claimed by", claimants.join(", ")] as const] : []),
  ];
  return (
    <div class="card answer">
      <p class={`answer-summary answer-${levels[outcome] ?? "bad"}`}>{summary}</p>
      {virtualHost && (
        <p>
          <a href={addressOf("host", virtualHost.name, { gateway: listener?.seat?.gateway })}>
            Show the graph of {virtualHost.name}
          </a>
        </p>
      )}
      {backends.length > 0 && (
        <ul class="backends">
          {backends.map(({ cluster, percent, endpoints, endpointsUnknown }) => (
            <li key={cluster}>
              {cluster.replace(/\/[0-9a-f]{16}$/, "")} <span class="badge">{percent} %</span>
              <span class={endpoints === 0 && !endpointsUnknown ? "badge badge-bad" : "badge"}>
                {endpoints === 0 ? "no endpoints: 503" : counted(endpoints, "endpoint")}
              </span>
            </li>
          ))}
        </ul>
      )}
      <dl class="facts facts-wide">
        {rows.map(([what, value], i) => (
          <div key={i}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {hints.map((hint) => (
        <p key={hint} class="hint">
          {hint}
        </p>
      ))}
      {tried.length > 0 && (
        <details>
          <summary>{counted(tried.length, "route")} tried before</summary>
          <ol class="tried">
            {tried.slice(-maxTried).map(({ index, match, why, origin }) => (
              <li key={index} value={index + 1}>
                <code>{match}</code>: {why}{" "}
                {origin && (
                  <span class="quiet-text">
                    {origin.ref} {origin.field}
                  </span>
                )}
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

export function Explain() {
  const { query } = address.value;
  const [method = "", url = "", header = "", gateway = "", listenerAddress = ""] = fields.map(
    (name) => query.get(name) ?? "",
  );
  const asked = url ? new URLSearchParams({ method: method || "GET", url }) : undefined;
  if (gateway) asked?.set("gateway", gateway);
  if (listenerAddress) asked?.set("address", listenerAddress);
  for (const line of header.split("\n")) if (line.trim()) asked?.append("header", line);
  const { last, findings } = overview.value ?? {};
  const { data, error, choices } = useResource<Explanation>(
    asked && `explain?${asked}`,
    JSON.stringify([last?.number, last?.at, findings]),
  );
  const form = useSignal({ method: "GET", url: "", header: "", gateway: "", address: "" });
  useEffect(() => {
    form.value = { method: method || "GET", url, header, gateway, address: listenerAddress };
  }, [method, url, header, gateway, listenerAddress]);
  const submit = (event: Event): void => {
    event.preventDefault();
    location.hash = addressOf("explain", "", form.value);
  };
  const set = (changed: Partial<typeof form.value>): void => {
    form.value = { ...form.value, ...changed };
  };
  return (
    <section aria-labelledby="explain-title">
      <h2 id="explain-title">Where does a request go?</h2>
      <form class="card explain-form" onSubmit={submit}>
        <div class="explain-line">
          <label>
            <span class="visually-hidden">Method</span>
            <select
              value={form.value.method}
              onChange={(event) => set({ method: event.currentTarget.value })}
            >
              {methods.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label class="search">
            <span class="visually-hidden">URL</span>
            <input
              required
              inputMode="url"
              autoCapitalize="off"
              spellcheck={false}
              placeholder="https://app.example.com/path, or tcp://, tls://, udp:// with a port"
              value={form.value.url}
              onInput={(event) => set({ url: event.currentTarget.value })}
            />
          </label>
          <button type="submit" class="primary">
            Explain
          </button>
        </div>
        <label>
          <span class="label">Headers, a line each</span>
          <textarea
            rows={2}
            spellcheck={false}
            placeholder="x-canary: yes"
            value={form.value.header}
            onInput={(event) => set({ header: event.currentTarget.value })}
          />
        </label>
        <div class="explain-line">
          <label>
            <span class="label">Gateway, if several serve the host</span>
            <input
              spellcheck={false}
              placeholder="namespace/name"
              value={form.value.gateway}
              onInput={(event) => set({ gateway: event.currentTarget.value.trim() })}
            />
          </label>
          <label>
            <span class="label">or an address of its listener</span>
            <input
              spellcheck={false}
              placeholder="10.0.0.1"
              value={form.value.address}
              onInput={(event) => set({ address: event.currentTarget.value.trim() })}
            />
          </label>
        </div>
      </form>
      <Failure text={error.value} />
      <Choices
        choices={choices.value}
        hrefOf={(one) => addressOf("explain", "", { method, url, header, ...one })}
      />
      <div aria-live="polite">
        {data.value && !error.value && (
          <>
            <Answer found={data.value} />
            <p class="quiet-text">
              The address of this page has the request: <Copy text={location.href} label="Copy link" />
            </p>
          </>
        )}
      </div>
    </section>
  );
}

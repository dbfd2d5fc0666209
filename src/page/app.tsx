import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ServerVerdict, verdictOf } from "../verdict/verdict.js";
import { address, addressOf } from "./address.js";
import { follow, lost, now, overview, token, tokenWanted } from "./api.js";
import { Changes } from "./changes.js";
import { Envoy, Envoys } from "./envoys.js";
import { Explain } from "./explain.js";
import { Host } from "./host.js";
import { Hosts } from "./hosts.js";
import { Problems } from "./problems.js";
import { Ago, Empty, number, Sign, timeOf } from "./words.js";

const tabs = [
  { view: "hosts", title: "Hosts" },
  { view: "problems", title: "Problems" },
  { view: "envoys", title: "Envoys" },
  { view: "changes", title: "Changes" },
  { view: "explain", title: "Explain" },
] as const;

/** The tab of each view that has no tab of its own. */
const within: Readonly<Record<string, string>> = { host: "hosts", envoy: "envoys" };

function countOf(view: string): string {
  const { hosts, findings, envoys } = overview.value ?? {};
  if (view === "hosts" && hosts !== undefined) return number(hosts);
  if (view === "problems" && findings && findings.errors + findings.warnings > 0)
    return number(findings.errors + findings.warnings);
  if (view === "envoys" && envoys) return number(envoys.total);
  return "";
}

function Tabs() {
  const { view } = address.value;
  return (
    <nav class="tabs" aria-label="Views">
      {tabs.map(({ view: name, title }) => (
        <a
          key={name}
          class={`tab-${name}`}
          href={addressOf(name)}
          aria-current={(within[view] ?? view) === name ? "page" : undefined}
        >
          {title}
          {countOf(name) && <span class="tab-count">{countOf(name)}</span>}
        </a>
      ))}
    </nav>
  );
}

function VerdictLine({ verdict }: { readonly verdict: ServerVerdict }) {
  const { level, word, parts } = verdict;
  return (
    <section class={`verdict verdict-${level}`} aria-label="State of the server">
      {/* Read aloud when it changes: without the age of the last change, which changes all the time. */}
      <p class="visually-hidden" role="status">
        {[word, ...parts.filter(({ view }) => view !== "changes").map(({ text }) => text)].join(", ")}
      </p>
      <Sign level={level} label={word} />
      <div>
        <p class="verdict-word">{word}</p>
        <p class="verdict-parts">
          {parts.map((part, i) => (
            <span key={i}>
              {i > 0 && (
                <span class="dot" aria-hidden="true">
                  {" "}
                  ·{" "}
                </span>
              )}
              <a class={`part part-${part.level}`} href={addressOf(part.view)}>
                {part.text}
              </a>
            </span>
          ))}
        </p>
      </div>
    </section>
  );
}

function Lost() {
  if (!lost.value) return null;
  return (
    <p class="lost" role="alert">
      The connection was lost <Ago at={now.value - (Date.now() - lost.value.since)} />. What is shown is from{" "}
      {timeOf(lost.value.since)}; this page tries again by itself.
    </p>
  );
}

function TokenForm() {
  const typed = useSignal("");
  const had = useSignal(token.value !== "");
  const submit = (event: Event): void => {
    event.preventDefault();
    token.value = typed.value.trim();
    had.value = true;
    tokenWanted.value = false;
  };
  return (
    <form class="card token-form" onSubmit={submit}>
      <h2>{had.value ? "This token does not open the page" : "A token opens this page"}</h2>
      <p>
        Make one of the role <code>read</code> with <code>isoline token read</code>, and give its line to the
        server. A token of the role <code>admin</code> can also roll back. It stays in this tab alone.
      </p>
      <label>
        <span class="label">Token</span>
        <input
          type="password"
          autocomplete="off"
          required
          value={typed.value}
          autofocus
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="primary">
        Open
      </button>
    </form>
  );
}

function View() {
  const { view, name, query } = address.value;
  const choice = String(
    new URLSearchParams([...query].filter(([key]) => key === "gateway" || key === "address")),
  );
  switch (view) {
    case "host":
      return <Host key={`${name} ${choice}`} name={name} choice={choice} />;
    case "problems":
      return <Problems />;
    case "envoys":
      return <Envoys />;
    case "envoy":
      return <Envoy />;
    case "changes":
      return <Changes />;
    case "explain":
      return <Explain />;
    case "hosts":
      return <Hosts />;
    default:
      return (
        <Empty title="There is no such view">
          <a href={addressOf("hosts")}>Show the hosts</a>
        </Empty>
      );
  }
}

const Mark = () => (
  <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" class="mark">
    <path d="M3 17c4-9 7 3 11-5s4-6 7-7M3 12c4-8 7 2 10-4s4-4 8-5M3 21c5-7 8 1 12-5s4-6 6-6" />
  </svg>
);

export function App() {
  useEffect(() => {
    if (tokenWanted.value) return;
    const stop = new AbortController();
    void follow(stop.signal);
    return () => stop.abort();
  }, [tokenWanted.value, token.value]);
  const taken = overview.value;
  const verdict = taken && verdictOf(taken, { now: now.value, time: timeOf });
  useEffect(() => {
    document.title = `${verdict && verdict.level !== "good" ? "! " : ""}${address.value.name || address.value.view} – Isoline`;
  }, [verdict?.level, address.value]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <h1 class="visually-hidden">Isoline</h1>
        <a class="brand" href={addressOf("hosts")}>
          <Mark /> Isoline
        </a>
        <Tabs />
        {token.value && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              token.value = "";
              overview.value = undefined;
              tokenWanted.value = true;
            }}
          >
            Forget token
          </button>
        )}
      </header>
      <main id="main" tabIndex={-1}>
        <Lost />
        {verdict && <VerdictLine verdict={verdict} />}
        {tokenWanted.value ? <TokenForm /> : taken ? <View /> : !lost.value && <Empty title="Connecting…" />}
      </main>
    </>
  );
}

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EnvoyDetail, EnvoyPage, EnvoyRow } from "../server/envoys.js";
import { address, addressOf } from "./address.js";
import { overview } from "./api.js";
import { Change } from "./change.js";
import { useResource } from "./resource.js";
import { Ago, counted, Empty, Failure, number, Sign, timeOf } from "./words.js";

const types = ["listeners", "routes", "scoped-routes", "clusters", "endpoints", "secrets"] as const;
const states = {
  current: { level: "good", label: "current" },
  behind: { level: "warning", label: "behind" },
  refused: { level: "bad", label: "refuses" },
  never: { level: "bad", label: "never accepted" },
} as const;
const pageSize = 100;
const againMs = 5000;

/**
 * A counter that increases every `ms` while the page is visible. The time of an Envoy's last poll changes without a
 * change of the overview, so the views use this counter to reload.
 */
function useClock(ms: number): number {
  const count = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) count.value++;
    }, ms);
    return () => clearInterval(timer);
  }, []);
  return count.value;
}

const envoyAddress = ({ node, token }: Pick<EnvoyRow, "node" | "token">): string =>
  addressOf("envoy", "", { node, token });

function TypeChip({ type, row }: { readonly type: (typeof types)[number]; readonly row: EnvoyRow }) {
  const state = row.types[type];
  if (!state) return null;
  const { level, label } = states[state.state];
  const part =
    state.others > 0 && state.subscriptions > 1 ? ` (${state.others} of ${state.subscriptions})` : "";
  return (
    <li
      class={`type-chip type-${level}`}
      title={`${type}: ${label} since ${new Date(state.since).toLocaleString()}`}
    >
      <Sign level={level} label={label} />
      <span>
        {type}
        {state.state !== "current" && (
          <span class="type-state">
            {" "}
            {label}
            {part} since {timeOf(state.since)}
          </span>
        )}
      </span>
    </li>
  );
}

const EnvoyCard = ({ row }: { readonly row: EnvoyRow }) => (
  <li class={row.active ? "card envoy" : "card envoy envoy-away"}>
    <div class="envoy-head">
      <a class="envoy-name" href={envoyAddress(row)}>
        {row.node || "(no node id)"}
      </a>
      {row.token && <span class="badge">token {row.token}</span>}
      {row.release && <span class="badge">Envoy {row.release}</span>}
      <span class="quiet-text">
        {row.active ? "polled " : "away, polled "}
        <Ago at={row.seen} />
      </span>
    </div>
    <ul class="type-chips" aria-label="Types">
      {types.map((type) => (
        <TypeChip key={type} type={type} row={row} />
      ))}
    </ul>
  </li>
);

export function Envoys() {
  const clock = useClock(againMs);
  const after = Number(address.value.query.get("after") ?? 0);
  const version = JSON.stringify([overview.value?.envoys, overview.value?.last?.number, clock]);
  const { data, error } = useResource<EnvoyPage>(`envoys?limit=${pageSize}&after=${after}`, version);
  const { total = 0, envoys = [], next } = data.value ?? {};
  return (
    <section aria-labelledby="envoys-title">
      <h2 id="envoys-title" class="visually-hidden">
        Envoys
      </h2>
      <Failure text={error.value} />
      {data.value && total === 0 && (
        <Empty title="No Envoy has polled yet">
          <p>
            Start one with what <code>isoline bootstrap --xds {location.origin}</code> prints.
          </p>
        </Empty>
      )}
      <ul class="cards">
        {envoys.map((row) => (
          <EnvoyCard key={`${row.token} ${row.node}`} row={row} />
        ))}
      </ul>
      {total > pageSize && (
        <nav class="pager" aria-label="Pages">
          {after > 0 && (
            <a href={addressOf("envoys", "", { after: String(Math.max(0, after - pageSize)) })}>Before</a>
          )}
          <span>
            {number(after + 1)} to {number(after + envoys.length)} of {number(total)}, the worst first
          </span>
          {next !== undefined && <a href={addressOf("envoys", "", { after: String(next) })}>Next</a>}
        </nav>
      )}
    </section>
  );
}

const firstNames = 3;

export function Envoy() {
  const { query } = address.value;
  const path = new URLSearchParams({ node: query.get("node") ?? "", token: query.get("token") ?? "" });
  const clock = useClock(againMs);
  const { data, error, missing } = useResource<EnvoyDetail>(`envoys?${path}`, clock);
  const { envoy, subscriptions = [], lacks = [], more = 0 } = data.value ?? {};
  const refusing = subscriptions.filter(({ state }) => state === "refused");
  return (
    <article aria-labelledby="envoy-title">
      <p class="crumbs">
        <a href={addressOf("envoys")}>Envoys</a>
      </p>
      <header class="view-head">
        <h2 id="envoy-title">{query.get("node")}</h2>
        {envoy?.release && <span class="badge">Envoy {envoy.release}</span>}
        {envoy && (
          <span class="quiet-text">
            polled <Ago at={envoy.seen} />
          </span>
        )}
      </header>
      {missing.value ? <Empty title="This Envoy is not remembered" /> : <Failure text={error.value} />}
      {refusing.length > 0 && (
        <p class="failure">
          It refuses {[...new Set(refusing.map(({ type }) => type))].join(", ")} and keeps what it had before.
          Its own log says why: look there for “update failed” or “rejected”.
        </p>
      )}
      {data.value && (
        <>
          <h3>What it lacks of what is served</h3>
          {lacks.length === 0 ? (
            <p class="quiet-text">
              {envoy?.state === "current"
                ? "Nothing: it has all that is served."
                : "No change in the history is newer than what it has."}
            </p>
          ) : (
            <ol class="timeline">
              {lacks.map((change, i) => (
                <Change key={change.number} change={change} open={i === 0} />
              ))}
            </ol>
          )}
          <h3>
            Subscriptions <span class="quiet-text">those that are not current first</span>
          </h3>
          <div class="scroll">
            <table class="plain">
              <thead>
                <tr>
                  {["Type", "Names", "State", "Since", "It has", "Served"].map((title) => (
                    <th key={title} scope="col">
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {subscriptions.map(({ type, names, state, since, accepted, served, refused }) => (
                  <tr key={`${type} ${names.join()}`}>
                    <td>{type}</td>
                    <td>
                      {names.length === 0 ? "all" : names.slice(0, firstNames).join(", ")}
                      {names.length > firstNames ? ` and ${names.length - firstNames} more` : ""}
                    </td>
                    <td>
                      <Sign level={states[state].level} label={states[state].label} /> {states[state].label}
                    </td>
                    <td>
                      <Ago at={since} />
                    </td>
                    <td>
                      <code>{accepted || "nothing"}</code>
                    </td>
                    <td>
                      <code>{refused ?? served}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {more > 0 && <p class="quiet-text">and {counted(more, "more subscription")}</p>}
        </>
      )}
    </article>
  );
}

import type { ComponentChildren } from "preact";
import type { PublishedChange } from "../engine/published-changes.js";
import { addressOf } from "./address.js";
import { Ago, counted } from "./words.js";

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The title of an entry: what changed, in one line. */
function titleOf({
  causes,
  sections,
  start,
  hostCount,
  onlyEndpoints,
  hosts,
  count,
}: PublishedChange): string {
  const what = start
    ? `${start === "first" ? "Began to serve" : "Restarted with other content:"} ${counted(hostCount, "host")}`
    : onlyEndpoints
      ? "Endpoints changed"
      : hostCount === 0
        ? `${capital(sections.map(({ title }) => title).join(", ")) || "Other resources"} changed`
        : hostCount === 1
          ? (hosts[0] ?? "1 host")
          : `${counted(hostCount, "host")} changed`;
  const times = count > 1 ? `, ${count} publications` : "";
  return `${what}${causes.length === 0 && !start ? " without a change of objects" : ""}${times}`;
}

const signWords = { "+": "added", "-": "removed", "~": "changed", "": "" } as const;

export function Sections({ change }: { readonly change: Pick<PublishedChange, "sections" | "more"> }) {
  return (
    <div class="diff">
      {change.sections.map(({ title, lines }, i) => (
        <div key={i}>
          <p class="diff-title">{title}</p>
          <ul>
            {lines.map(({ sign, depth, text }, n) => (
              <li key={n} class={`diff-line diff-${signWords[sign] || "plain"} depth-${Math.min(depth, 4)}`}>
                {signWords[sign] ? (
                  <span class="diff-sign" role="img" aria-label={signWords[sign]}>
                    {sign}
                  </span>
                ) : (
                  <span class="diff-sign" aria-hidden="true" />
                )}
                <span>{text}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {change.more > 0 && <p class="quiet-text">and {counted(change.more, "more line")}</p>}
    </div>
  );
}

/** One entry of the history. */
export function Change({
  change,
  open,
  children,
}: {
  readonly change: PublishedChange;
  readonly open: boolean;
  readonly children?: ComponentChildren;
}) {
  const { number, at, until, causes, hosts, sections } = change;
  return (
    <li class="card change" id={`change-${number}`}>
      <div class="change-head">
        <h3>{titleOf(change)}</h3>
        <Ago at={until} />
        {until !== at && <span class="quiet-text">since {new Date(at).toLocaleTimeString()}</span>}
      </div>
      <p class="change-who">
        {causes.map(({ source, revision, by, commit, objects = [] }, i) => (
          <span key={i} class="cause">
            {by && <strong>{by}</strong>} {by ? (revision === undefined ? "in " : "pushed ") : "from "}
            <span>{source}</span>
            {revision !== undefined && <span class="badge">revision {revision}</span>}
            {commit && (
              <span class="badge" title={commit}>
                commit {commit.slice(0, 12)}
              </span>
            )}
            {objects.length > 0 && <span class="quiet-text"> {objects.join(", ")}</span>}
          </span>
        ))}
        {children}
      </p>
      {sections.length > 0 && (
        <details open={open}>
          <summary>What changes for traffic</summary>
          <Sections change={change} />
        </details>
      )}
      {hosts.length > 1 && (
        <p class="change-hosts">
          {hosts.slice(0, 8).map((host) => (
            <a key={host} href={addressOf("host", host)}>
              {host}
            </a>
          ))}
          {hosts.length > 8 && <span class="quiet-text">and more</span>}
        </p>
      )}
    </li>
  );
}

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { FindingGroups, FindingPage } from "../server/findings.js";
import { address, addressOf, setQuery } from "./address.js";
import { ask, overview } from "./api.js";
import { Finding } from "./host.js";
import { useResource } from "./resource.js";
import { Copy, counted, Empty, Failure, Marked, number, Sign } from "./words.js";

type Group = FindingGroups["groups"][number];

const pageSize = 50;

/** The findings of a group, page by page. */
function Findings({
  group,
  namespace,
  text,
  version,
}: {
  readonly group: Group;
  readonly namespace: string;
  readonly text: string;
  readonly version: string;
}) {
  const { severity, reason } = group;
  const query = new URLSearchParams({
    list: "",
    severity,
    reason,
    limit: String(pageSize),
    ...(namespace ? { namespace } : {}),
    ...(text ? { q: text } : {}),
  });
  const path = `findings?${query}`;
  const { data, error } = useResource<FindingPage>(path, version);
  const more = useSignal<readonly FindingPage["findings"][number][]>([]);
  const next = useSignal<number | undefined>(undefined);
  const failure = useSignal("");
  useEffect(() => {
    more.value = [];
    next.value = data.value?.next;
  }, [data.value]);
  const load = async (): Promise<void> => {
    try {
      const page = await ask<FindingPage>(`${path}&after=${next.value}`);
      more.value = [...more.value, ...page.findings];
      next.value = page.next;
      failure.value = "";
    } catch (problem) {
      failure.value = problem instanceof Error ? problem.message : String(problem);
    }
  };
  const all = [...(data.value?.findings ?? []), ...more.value];
  const total = data.value?.total ?? 0;
  return (
    <>
      <Failure text={error.value || failure.value} />
      <ul class="findings">
        {all.map((finding, i) => (
          <Finding key={i} finding={finding} grouped />
        ))}
      </ul>
      {data.value && total === 0 && <p class="quiet-text">None matches.</p>}
      {next.value !== undefined && (
        <button type="button" onClick={() => void load()}>
          Show {Math.min(pageSize, total - all.length)} more of {number(total)}
        </button>
      )}
    </>
  );
}

const firstNamespaces = 12;

function GroupCard({ group, version }: { readonly group: Group; readonly version: string }) {
  const { query } = address.value;
  const isOpen =
    query.get("reason") === group.reason && (query.get("severity") ?? group.severity) === group.severity;
  const namespace = query.get("namespace") ?? "";
  const text = query.get("q") ?? "";
  const { severity, reason, count, meaning, fix, namespaces, moreNamespaces } = group;
  const toggle = (): void => setQuery(isOpen ? { q: text } : { reason, severity, q: text });
  const hidden = Math.max(0, namespaces.length - firstNamespaces) + moreNamespaces;
  return (
    <section class={`card group group-${severity}`}>
      <h3>
        <button type="button" class="group-head" aria-expanded={isOpen} onClick={toggle}>
          <Sign level={severity === "error" ? "bad" : "warning"} label={severity} />
          <span class="group-reason">{reason}</span>
          <span class="badge">{counted(count, severity)}</span>
          <span class="chevron" aria-hidden="true">
            {isOpen ? "▾" : "▸"}
          </span>
        </button>
      </h3>
      <p class="group-meaning">
        <Marked text={meaning} />
      </p>
      <p class="group-fix">
        <strong>To fix:</strong> <Marked text={fix} /> <Copy text={`${reason}: ${meaning} ${fix}`} />
      </p>
      <ul class="chips" aria-label="Namespaces">
        {namespaces.slice(0, firstNamespaces).map(({ namespace: name, count: own }) => (
          <li key={name}>
            <a
              class={isOpen && namespace === name ? "chip chip-on" : "chip"}
              aria-current={isOpen && namespace === name}
              href={addressOf("problems", "", {
                reason,
                severity,
                q: text,
                namespace: isOpen && namespace === name ? undefined : name,
              })}
            >
              {name || "no namespace"} <span class="chip-count">{number(own)}</span>
            </a>
          </li>
        ))}
        {hidden > 0 && <li class="quiet-text">and {counted(hidden, "more namespace")}</li>}
      </ul>
      {isOpen && <Findings group={group} namespace={namespace} text={text} version={version} />}
    </section>
  );
}

export function Problems() {
  const counts = overview.value?.findings;
  const version = JSON.stringify([counts, overview.value?.last?.at]);
  const { data, error } = useResource<FindingGroups>("findings", version);
  const { query } = address.value;
  const { reason, severity, namespace } = Object.fromEntries(query) as Record<string, string>;
  const groups = data.value?.groups ?? [];
  const shown = reason ? groups.filter((group) => group.reason === reason) : groups;
  const notices = overview.value?.notices ?? [];
  return (
    <section aria-labelledby="problems-title">
      <h2 id="problems-title" class="visually-hidden">
        Problems
      </h2>
      {notices.length > 0 && (
        <ul class="findings">
          {notices.map(({ level, text }) => (
            <li key={text} class="finding">
              <Sign level={level} label={level} />
              <p class="finding-message">{text}</p>
            </li>
          ))}
        </ul>
      )}
      {groups.length > 0 && (
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <label class="search">
            <span class="visually-hidden">Search in the open group</span>
            <input
              type="search"
              placeholder={reason ? `Search in ${reason}` : "Open a group to search in it"}
              disabled={!reason}
              value={query.get("q") ?? ""}
              onInput={(event) => setQuery({ reason, severity, namespace, q: event.currentTarget.value })}
            />
          </label>
          {reason && (
            <a class="button" href={addressOf("problems")}>
              All reasons
            </a>
          )}
          <output class="result-count">
            {data.value
              ? `${counted(data.value.total, "finding")} in ${counted(groups.length, "reason")}`
              : ""}
          </output>
        </form>
      )}
      <Failure text={error.value} />
      {data.value && groups.length === 0 && (
        <Empty title="No problems">
          <p>Every object is valid, and all that is valid is served.</p>
        </Empty>
      )}
      {shown.map((group) => (
        <GroupCard key={`${group.severity} ${group.reason}`} group={group} version={version} />
      ))}
    </section>
  );
}

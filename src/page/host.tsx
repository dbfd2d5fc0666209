import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { ClusterNode, HostNode, RouteNode } from "../explain/graph.js";
import { type PicturePart, pictureOf } from "../picture/model.js";
import type { HostDetail } from "../server/hosts.js";
import { addressOf } from "./address.js";
import { overview } from "./api.js";
import { useResource } from "./resource.js";
import { RouteGraph } from "./route-graph.js";
import { Choices, Copy, counted, Empty, Failure, Sign } from "./words.js";

type HostFinding = HostDetail["findings"][number];

const levelOf = (severity: HostFinding["severity"]) => (severity === "error" ? "bad" : "warning");

/** `grouped`: the heading above shows the reason. */
export const Finding = ({
  finding,
  grouped = false,
}: {
  readonly finding: HostFinding;
  readonly grouped?: boolean;
}) => {
  const { severity, about, path = "", message, reason, file, line } = finding;
  const place = file ? `${file}${line ? `:${line}` : ""}` : "";
  const text = `${place ? `${place}: ` : ""}${severity} ${about} ${path}: ${message} (${reason})`;
  return (
    <li class={`finding finding-${severity}`}>
      <Sign level={levelOf(severity)} label={severity} />
      <div>
        <p class="finding-message">{message}</p>
        <p class="finding-place">
          <a href={addressOf("hosts", "", { q: about })}>{about}</a> {path && <code>{path}</code>}{" "}
          {place && <span class="place">{place}</span>}{" "}
          {!grouped && <a href={addressOf("problems", "", { reason })}>{reason}</a>}
        </p>
      </div>
      <Copy text={text} />
    </li>
  );
};

const shortCluster = (cluster: string): string => cluster.replace(/\/[0-9a-f]{16}$/, "");

function Backends({ clusters }: { readonly clusters: readonly ClusterNode[] }) {
  if (clusters.length === 0) return null;
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  return (
    <ul class="backends">
      {clusters.map(({ cluster, weight, endpointCount }) => (
        <li key={cluster}>
          {shortCluster(cluster)}
          {clusters.length > 1 && total > 0 && (
            <span class="badge">{Math.round((1000 * weight) / total) / 10} %</span>
          )}
          <span class={endpointCount === 0 ? "badge badge-bad" : "badge"}>
            {endpointCount === 0 ? "no endpoints: 503" : counted(endpointCount, "endpoint")}
          </span>
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  readonly route: RouteNode;
  readonly index: number;
  readonly id: string;
  readonly detail: HostDetail;
  readonly chosen: boolean;
}

function RouteRow({ route, index, id, detail, chosen }: RowProps) {
  const { match, origin, clusters, facts, request } = route;
  const place = origin && detail.places[`${origin.ref} ${origin.field}`];
  const findings = origin
    ? detail.findings.filter(
        ({ about, path = "" }) =>
          about === origin.ref &&
          (path === origin.field ||
            path.startsWith(`${origin.field}.`) ||
            path.startsWith(`${origin.field}[`)),
      )
    : [];
  const others = facts.filter(({ what }) => what !== "backends");
  return (
    <li id={id} class={chosen ? "route route-chosen" : "route"} tabIndex={-1}>
      <span class="route-number" aria-hidden="true">
        {index + 1}
      </span>
      <div class="route-body">
        <p class="route-match">
          <code>{match}</code>
          {request && (
            <a
              class="button"
              href={addressOf("explain", "", {
                method: request.method,
                url: request.url,
                header: request.headers.join("\n"),
                gateway: request.gateway,
                address: request.address,
              })}
            >
              Explain
            </a>
          )}
        </p>
        <Backends clusters={clusters} />
        {others.length > 0 && (
          <dl class="facts">
            {others.map(({ what, value }, i) => (
              <div key={i}>
                <dt>{what}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
        {origin && (
          <p class="origin">
            from {origin.ref} <code>{origin.field}</code>
            {place && (
              <>
                {" "}
                <span class="place">
                  {place.file}:{place.line}
                </span>
              </>
            )}
          </p>
        )}
        {findings.length > 0 && (
          <ul class="findings">
            {findings.map((finding, i) => (
              <Finding key={i} finding={finding} />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

const tableNames: Readonly<Record<string, string>> = {
  ingress_http: "HTTP",
  ingress_https: "HTTPS",
  ingress_fallbackcert: "HTTPS for clients without a server name",
};
const firstRoutes = 100;

function Routes({
  table,
  routes,
  detail,
  chosen,
}: {
  readonly table: string;
  readonly routes: readonly RouteNode[];
  readonly detail: HostDetail;
  readonly chosen: string;
}) {
  const shown = useSignal(firstRoutes);
  const seat = detail.node?.listeners?.[table];
  return (
    <section>
      <h3>
        {seat
          ? `Listener ${seat.listener}, port ${seat.port}, ${seat.addresses.join(", ")}`
          : (tableNames[table] ?? table)}{" "}
        <span class="quiet-text">{counted(routes.length, "route")}, tried in this order</span>
      </h3>
      <ol class="routes">
        {routes.slice(0, shown.value).map((route, index) => {
          const id = `route-${table}-${index}`;
          return (
            <RouteRow key={id} id={id} route={route} index={index} detail={detail} chosen={chosen === id} />
          );
        })}
      </ol>
      {routes.length > shown.value && (
        <button
          type="button"
          onClick={() => {
            shown.value += firstRoutes;
          }}
        >
          Show more routes ({counted(routes.length - shown.value, "route")} left)
        </button>
      )}
    </section>
  );
}

/** The connections that are passed on with any content. */
function Connections({ node }: { readonly node: HostNode }) {
  const passed = Object.entries(node.elsewhere ?? {}).filter(([, { clusters }]) => clusters.length > 0);
  if (passed.length === 0) return null;
  return (
    <section>
      <h3>Connections that are passed on</h3>
      {passed.map(([name, { clusters, origin }]) => {
        const seat = node.listeners?.[name];
        return (
          <div key={name} class="route-body">
            <p class="route-match">
              <code>{name}</code> {seat ? `listener ${seat.listener}, ${seat.addresses.join(", ")}` : ""}
            </p>
            <Backends clusters={clusters} />
            {origin && (
              <p class="origin">
                from {origin.ref} <code>{origin.field}</code>
              </p>
            )}
          </div>
        );
      })}
    </section>
  );
}

function Claims({ detail }: { readonly detail: HostDetail }) {
  const { owners } = detail.row;
  return (
    <section>
      <h3>
        Claimed by <span class="quiet-text">{counted(owners.length, "object")}</span>
      </h3>
      <ul class="claims">
        {owners.map((owner) => (
          <li key={owner}>{owner}</li>
        ))}
      </ul>
      {owners.length > 1 && (
        <p class="quiet-text">
          Where several objects claim a host, the oldest decides its TLS; a conflict is a finding below.
        </p>
      )}
    </section>
  );
}

export function Host({ name, choice }: { readonly name: string; readonly choice: string }) {
  const { last, findings: counts } = overview.value ?? {};
  const version = JSON.stringify([last?.number, last?.at, counts]);
  const path = `hosts/${encodeURIComponent(name)}${choice ? `?${choice}` : ""}`;
  const { data, error, missing, choices } = useResource<HostDetail>(path, version);
  const chosen = useSignal("");
  const detail = data.value;
  const picture = useMemo(() => detail?.node && pictureOf(detail.node, detail), [detail]);
  const choose = ({ route }: PicturePart): void => {
    if (!route) return;
    chosen.value = `route-${route.table}-${route.index}`;
    const row = document.getElementById(chosen.value);
    row?.scrollIntoView({ block: "center" });
    row?.focus({ preventScroll: true });
  };
  const { node, row, findings = [] } = detail ?? {};
  const isShared = (finding: HostFinding): boolean =>
    !Object.values(node?.tables ?? {})
      .flat()
      .some(({ origin }) => origin?.ref === finding.about && (finding.path ?? "").startsWith(origin.field));
  const own = findings.filter(isShared);
  return (
    <article aria-labelledby="host-title">
      <p class="crumbs">
        <a href={addressOf("hosts")}>Hosts</a>
      </p>
      <header class="view-head">
        <h2 id="host-title">{name}</h2>
        {row?.gateway && <span class="badge">Gateway {row.gateway}</span>}
        {row && (
          <span class={`state state-${row.state}`}>
            {
              {
                served: "✓ served",
                empty: "! a Service has no endpoints",
                errors: "! served, with errors",
                failing: "✕ not served",
              }[row.state]
            }
          </span>
        )}
        <Copy text={location.href} label="Copy link" />
      </header>
      {missing.value ? (
        <Empty title="No such host">
          <p>{error.value}</p>
        </Empty>
      ) : (
        <Failure text={error.value} />
      )}
      <Choices choices={choices.value} hrefOf={(one) => addressOf("host", name, { ...one })} />
      {!detail && !error.value && <Empty title="Loading…" />}
      {detail && own.length > 0 && (
        <ul class="findings">
          {own.map((finding, i) => (
            <Finding key={i} finding={finding} />
          ))}
        </ul>
      )}
      {picture && <RouteGraph picture={picture} choose={choose} />}
      {detail &&
        node &&
        Object.entries(node.tables).map(([table, routes]) => (
          <Routes key={table} table={table} routes={routes} detail={detail} chosen={chosen.value} />
        ))}
      {detail && node && <Connections node={node} />}
      {detail && detail.row.owners.length > 0 && <Claims detail={detail} />}
    </article>
  );
}

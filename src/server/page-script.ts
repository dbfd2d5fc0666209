/** What the page does, as plain JavaScript for the browser. All that it shows is text: nothing is parsed as HTML. */
export const script = String.raw`
"use strict";
const at = (id) => document.getElementById(id);
const token = () => sessionStorage.getItem("isoline-token") || "";

const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const table = (caption, heads, rows) => {
  const made = element("table");
  made.append(element("caption", caption));
  const head = made.createTHead().insertRow();
  for (const text of heads) {
    const cell = element("th", text);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const { cells, kind } of rows) {
    const row = body.insertRow();
    for (const text of cells) row.append(element("td", text, kind));
  }
  return made;
};

const ask = async (path) => {
  const headers = token() ? { authorization: "Bearer " + token() } : {};
  const answer = await fetch(path, { headers });
  const body = await answer.json();
  if (!answer.ok) throw new Error(answer.status === 401 ? "A token of the role read is needed." : body.detail);
  return body;
};

const shown = async (work) => {
  try {
    at("message").textContent = "";
    await work();
  } catch (error) {
    at("message").textContent = error.message;
  }
};

const place = (origin) => (origin ? origin.ref + " " + origin.field : "");

const showExplanation = (found) => {
  const parts = [element("p", found.summary)];
  parts[0].id = "summary";
  const facts = [];
  if (found.virtualHost) facts.push(["host", found.virtualHost.name + " of " + found.virtualHost.table]);
  if (found.route) facts.push(["route", found.route.match], ["comes from", place(found.route.origin)]);
  for (const { what, value } of [...(found.chain ? found.chain.facts : []), ...found.facts]) facts.push([what, value]);
  if (facts.length) parts.push(table("Why", ["", ""], facts.map((cells) => ({ cells }))));
  if (found.backends.length)
    parts.push(table("Backends", ["cluster", "share", "endpoints"],
      found.backends.map((b) => ({ cells: [b.cluster, b.percent + " %", String(b.endpoints)], kind: b.endpoints ? "" : "error" }))));
  if (found.tried.length)
    parts.push(table("Tried before", ["route", "why not", "comes from"],
      found.tried.slice(-50).map((r) => ({ cells: [r.match, r.why, place(r.origin)] }))));
  for (const hint of found.hints) parts.push(element("p", hint, "quiet"));
  at("explanation").replaceChildren(...parts);
};

const showStatus = (status) => {
  const types = Object.entries(status.types).map(([type, t]) => ({ cells: [type, String(t.resources), t.version] }));
  const parts = [table("Resources", ["type", "number", "version"], types)];
  const problems = Object.entries(status.problems).map(([type, text]) => ({ cells: [type, text], kind: "error" }));
  if (problems.length) parts.push(table("Not sent", ["type", "why"], problems));
  const findings = (status.findings || []).slice(0, 200).map((f) => ({ cells: [(/^(File|Source|Unknown).{2}$/.test(f.about) ? "" : f.about), f.path || "", f.reason, f.message], kind: f.severity }));
  parts.push(findings.length
    ? table("Findings", ["object", "field", "reason", "message"], findings)
    : element("p", "No findings: every object is valid."));
  const fleet = status.fleet.slice(0, 200).map((n) => {
    const refused = Object.entries(n.subscriptions).filter(([, s]) => s.refused).map(([key]) => key);
    const cells = [n.token ? n.node + " (" + n.token + ")" : n.node, new Date(n.seen).toLocaleTimeString(), refused.join(", ")];
    return { cells, kind: refused.length ? "error" : "" };
  });
  if (fleet.length) parts.push(table("Envoys", ["node", "polled last", "refuses"], fleet));
  const sources = (status.sources || []).map((s) => ({ cells: [s.name, s.revision === undefined ? "" : String(s.revision), s.objects === undefined ? "" : String(s.objects)] }));
  if (sources.length) parts.push(table("Sources", ["name", "revision", "objects"], sources));
  at("state").replaceChildren(...parts);
};

const refresh = () => shown(async () => showStatus(await ask("/status")));

at("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("isoline-token", event.target.token.value);
  event.target.token.value = "";
  refresh();
});

at("explain").addEventListener("submit", (event) => {
  event.preventDefault();
  const { method, url, headers } = event.target;
  const query = new URLSearchParams({ method: method.value, url: url.value });
  for (const line of headers.value.split("\n")) if (line.trim()) query.append("header", line);
  shown(async () => showExplanation(await ask("/explain?" + query)));
});

refresh();
`;

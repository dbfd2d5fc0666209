import { readFileSync, writeFileSync } from "node:fs";

/** The lines of the chart: label, colour, and the value of a row of `npm run bench -- stores`. */
const LINES = [
  [
    "everything, from objects",
    "#888",
    ({ store, heap_cap_mb, build_ms }) => store === "memory" && !heap_cap_mb && build_ms,
  ],
  ["started from SQLite", "#c60", ({ cold_start_ms }) => cold_start_ms],
  [
    "endpoints of one Service",
    "#06c",
    ({ store, heap_cap_mb, endpoint_ms }) => store === "memory" && !heap_cap_mb && endpoint_ms,
  ],
  [
    "one route, over SQLite",
    "#808",
    ({ store, heap_cap_mb, route_ms }) => store === "sqlite" && !heap_cap_mb && route_ms,
  ],
  [
    "one route, in memory",
    "#080",
    ({ store, heap_cap_mb, route_ms }) => store === "memory" && !heap_cap_mb && route_ms,
  ],
];

const [width, height, left, right, top, bottom] = [760, 420, 70, 200, 20, 50];
const log = (value, [low, high]) =>
  (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));
const powers = ([low, high]) => {
  const all = [];
  for (let value = low; value <= high; value *= 10) all.push(value);
  return all;
};
const format = (value) => value.toLocaleString("en");

/** An SVG of cost against size, both on logarithmic scales. */
function chart(rows) {
  const sizes = [...new Set(rows.map(({ applications }) => applications))];
  const across = [Math.min(...sizes), Math.max(...sizes)];
  const up = [0.1, 10_000];
  const x = (value) => left + log(value, across) * (width - left - right);
  const y = (value) => height - bottom - log(value, up) * (height - top - bottom);
  const text = (at, content, more = "") =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${content}</text>`;
  const parts = [];
  for (const value of powers(up)) {
    parts.push(`<path d="M${left} ${y(value).toFixed(1)}H${width - right}" stroke="#8884"/>`);
    parts.push(text([left - 8, y(value) + 4], `${format(value)} ms`, 'text-anchor="end"'));
  }
  for (const size of sizes)
    parts.push(text([x(size), height - bottom + 20], format(size), 'text-anchor="middle"'));
  parts.push(text([(left + width - right) / 2, height - 8], "applications", 'text-anchor="middle"'));
  const labels = [];
  for (const [label, colour, pick] of LINES) {
    const points = rows.flatMap((row) => (pick(row) ? [[x(row.applications), y(pick(row))]] : []));
    if (points.length === 0) continue;
    const line = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ");
    parts.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [px, py] of points)
      parts.push(`<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${colour}"/>`);
    labels.push({ label, colour, place: points.at(-1) });
  }
  // Place labels at the ends of their lines, at least one line of text apart.
  let lowest = 0;
  for (const { label, colour, place } of labels.sort((a, b) => a.place[1] - b.place[1])) {
    lowest = Math.max(place[1] + 4, lowest + 14);
    parts.push(text([place[0] + 10, lowest], label, `fill="${colour}"`));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#777" role="img" aria-label="Cost against size">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

const [input, output] = process.argv.slice(2);
if (!input || !output) {
  console.error(
    "usage: node scripts/chart.mjs FIGURES.jsonl CHART.svg, with lines of `npm run bench -- stores`",
  );
  process.exitCode = 2;
} else {
  const lines = readFileSync(input, "utf8").split("\n");
  writeFileSync(output, chart(lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))));
}

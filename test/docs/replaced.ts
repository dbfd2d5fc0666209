/** A command of a page that tests do not run as it is written. */
interface Replaced {
  readonly page: string;
  readonly command: string;
  /** The commands that are run in its place; none where nothing is. */
  readonly by: readonly string[];
  readonly why: string;
}

const bench = (command: string): Replaced => ({
  page: "docs/performance.md",
  command,
  by: [],
  why: "it measures, for minutes up to an hour; what it measures has tests of its own",
});

const worker = (command: string, why: string, ...by: readonly string[]): Replaced => ({
  page: "docs/deploy-cloudflare.md",
  command,
  by,
  why,
});

const chaos = (command: string): Replaced => ({
  page: "docs/reliability.md",
  command,
  by: [],
  why: "it breaks servers for minutes up to an hour; the long tests run it with --short",
});

const confirm = (command: string): Replaced => ({
  page: "docs/kubernetes.md",
  command,
  by: [],
  why: "nothing waits to be confirmed there: test/kubernetes/held-lists.test.ts runs it where deletions wait",
});

const fleet = (page: string, command: string): Replaced => ({
  page,
  command,
  by: [],
  why: "it needs a second server, or an account: test/servers/fleet-command.test.ts runs it between servers of its own",
});

/** All commands of the documentation that are not run as they are written. A command that is not here is run by the walk of its page. */
export const replaced: readonly Replaced[] = [
  { page: "README.md", command: "npm test", by: [], why: "it is what runs the walks" },
  {
    page: "docs/tutorial-cloudflare.md",
    command: "npm install",
    by: [],
    why: "the packages are there, and tests need no network",
  },
  ...["contour", "ingress-nginx"].map((peer) => ({
    page: `docs/tutorial-replace-${peer}.md`,
    command: "kubectl port-forward -n isoline service/isoline 18000:18000",
    by: [],
    why: "there is no kubelet: the server of the pod listens on this port of the machine",
  })),
  worker("npm install", "the packages are there, and tests need no network"),
  worker(
    "npx wrangler secret put ISOLINE_TOKENS < tokens.txt",
    "it needs an account: wrangler's own file of local secrets holds the same text",
    `{ printf 'ISOLINE_TOKENS="'; cat tokens.txt; printf '"\\n'; } > .dev.vars`,
  ),
  worker(
    "npx wrangler deploy",
    "it needs an account: the bundle is made, and runs in workerd under the Worker's name behind a proxy that speaks HTTP/2 as the edge does",
    "npx wrangler deploy --dry-run",
    "npx wrangler dev --local-upstream isoline.example.workers.dev --upstream-protocol https",
  ),
  fleet(
    "docs/deploy-cloudflare.md",
    "isoline fleet export https://isoline.example.workers.dev -o fleet.jsonl --token-file admin.token",
  ),
  fleet(
    "docs/operations.md",
    "isoline fleet export http://127.0.0.1:18000 -o fleet.jsonl --token-file admin.token",
  ),
  fleet(
    "docs/operations.md",
    "isoline fleet import fleet.jsonl --to https://new.example.com --token-file admin.token",
  ),
  confirm(
    "isoline accept-shrink Secret --xds https://isoline.example.com --token-file admin-token --expect 12",
  ),
  confirm("isoline accept-shrink HTTPProxy --xds http://127.0.0.1:18000 --cluster east"),
  chaos("npm run chaos"),
  chaos("npm run chaos -- --short"),
  chaos("npm run chaos -- --list"),
  chaos("npm run chaos -- --only clock-ahead --only soak-faults --seed 20261130"),
  chaos("npm run chaos -- --write"),
  bench("npm run bench -- kube"),
  bench("npm run bench -- traffic"),
  bench("npm run bench -- waits"),
  bench("npm run bench -- applied"),
  bench("npm run bench -- sync"),
  bench("npm run bench"),
  bench("npm run bench -- stores 100 1000 10000 50000"),
  bench("node scripts/chart.mjs FIGURES.jsonl docs/performance.svg"),
  bench("npm run bench -- peers"),
  bench("npm run bench -- peers --contour DIR"),
  bench("npm run bench -- worker"),
];

import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { fc } from "../support/fast-check.js";
import { asker, migrated } from "../support/migration.js";
import { host, type Restriction, restrictedPeers } from "../support/restricted-peers.js";

const allPaths = ["/", "/a", "/ab", "/a/b", "/c/d"];

describe.each(Object.entries(restrictedPeers))("%s", (_, { restrictions, manifests, isText = false }) => {
  const chosen = fc.tuple(
    ...allPaths.map((path) =>
      fc.record({
        path: fc.constant(path),
        isThere: fc.boolean(),
        restriction: fc.option(fc.constantFrom(...restrictions), { nil: undefined }),
      }),
    ),
  );

  it.each(["httpproxy", "gateway"] as const)("loses no restriction without an error, to %s", (to) => {
    fc.assert(
      fc.property(chosen, (all) => {
        const paths = all.flatMap(({ path, isThere, restriction }) =>
          isThere ? [[path, restriction] as const] : [],
        );
        const input = manifests(paths).map((one) => stringify(one));
        const { text, report } = migrated(input.join("---\n"), to);
        const ask = asker(text, to);
        const remarks = report.hosts.flatMap((one) => one.remarks);
        const isTold = remarks.some(({ severity }) => severity === "error");
        for (const { asked, name, isKept } of requestsOf(paths, isText)) {
          const { outcome, applied } = ask("GET", `http://${host}${asked}`);
          const isOpen = outcome === "forward" && applied?.protections.addresses === undefined;
          expect([name, asked, isOpen]).toEqual([name, asked, false]);
          expect([name, isTold || (isKept && to === "httpproxy")]).toEqual([name, true]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Requests that a restricted path takes: the path, one below it, and one that goes on with its text. */
function requestsOf(
  paths: readonly (readonly [string, Restriction | undefined])[],
  isText: boolean,
): (Restriction & { readonly asked: string })[] {
  return paths.flatMap(([path, restriction]) => {
    if (!restriction) return [];
    const below = path === "/" ? "/zz" : `${path}/zz`;
    return [path, below, ...(isText ? [`${path}zz`] : [])].flatMap((asked) => {
      const own = paths.filter(([other]) =>
        isText ? asked.startsWith(other) : `${asked}/`.startsWith(`${other.replace(/\/$/, "")}/`),
      );
      const closest = own.reduce((a, b) => (b[0].length > a[0].length ? b : a));
      return closest[0] === path ? [{ ...restriction, asked }] : [];
    });
  });
}

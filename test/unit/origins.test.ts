import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { originsIn } from "../../src/explain/origins.js";
import type { VirtualHost } from "../../src/gen/envoy.js";
import type { KubeObject } from "../../src/schema/object.js";
import { settingsRef } from "../../src/schema/settings.js";
import type { Store } from "../../src/store/store.js";
import { compileAll, parseCase } from "../support/compile.js";

const root = join(import.meta.dirname, "../golden");
const cases = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("objects.yaml"))
  .map((path) => path.replace("/objects.yaml", ""));

const textOf = (folder: string, file: string): string | undefined => {
  const path = join(root, folder);
  return readdirSync(path).includes(file) ? readFileSync(join(path, file), "utf8") : undefined;
};

/** For each route of a store: its object according to its metadata for access logs, and according to the store. */
function routesOf(store: Store): (readonly [string, string])[] {
  const settings = store.object(settingsRef);
  if (settings?.kind !== "Settings") throw new Error("there are no settings");
  const refuse = (): never => {
    throw new Error("nothing is compiled anew");
  };
  const origins = originsIn(store, settings.spec, { checkKeyPair: refuse });
  return [...store.units()].flatMap(({ resources }) =>
    resources.flatMap(({ type, group, name, json }) => {
      if (type !== "virtual-host") return [];
      const { routes = [] } = JSON.parse(json) as VirtualHost;
      const found = origins.routes(group, name);
      expect(found.length).toBe(routes.length);
      return routes.map(({ metadata }, i) => {
        const source = Object.values(metadata?.filter_metadata?.["envoy.access_loggers.file"] ?? {});
        return [source.join("/"), found[i]?.ref ?? ""] as const;
      });
    }),
  );
}

/** Settings with which routes have their object in their metadata. */
function withSources(object: KubeObject): KubeObject {
  if (object.kind !== "Settings") return object;
  const formatString = "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.kind)%";
  const accessLog = { ...object.spec.accessLog, level: "info", format: "envoy", formatString } as const;
  return { ...object, spec: { ...object.spec, accessLog } };
}

it("every route of every case comes from the object in its metadata, in every table", () => {
  let routes = 0;
  for (const folder of cases) {
    const { objects } = parseCase(
      textOf(folder, "objects.yaml") ?? "",
      textOf(folder, "settings.yaml") ?? "",
    );
    for (const [source, ref] of routesOf(compileAll(objects.map(withSources)))) {
      expect(ref, folder).toBe(source);
      routes++;
    }
  }
  expect(routes).toBeGreaterThan(300);
});

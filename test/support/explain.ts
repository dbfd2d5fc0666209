import { readConfig } from "../../src/explain/config.js";
import { explain } from "../../src/explain/explain.js";
import type { Explanation } from "../../src/explain/explanation.js";
import { claimsOn, originsIn } from "../../src/explain/origins.js";
import { readRequest } from "../../src/explain/request.js";
import { link } from "../../src/link/snapshot.js";
import { orphansBeside, unservedFor } from "../../src/lint/unserved.js";
import type { KubeObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { compileAll, platform } from "./compile.js";

/** Explains requests to the compiled objects, which may include the settings. */
export function explainer(
  objects: readonly KubeObject[],
): (method: string, url: string, headers?: readonly string[]) => Explanation {
  const store = compileAll(objects);
  const own = objects.find((object) => object.kind === "Settings");
  const settings = own?.spec ?? defaultSettings;
  const config = readConfig(link(store, settings));
  const knowledge = {
    origins: originsIn(store, settings, platform),
    claimsOn: (host: string) => claimsOn(store, host),
    unservedFor: (host: string) => [
      ...unservedFor(host, store, settings),
      ...orphansBeside(host, store, settings),
    ],
  };
  return (method, url, headers) => explain(config, readRequest(method, url, headers), knowledge);
}

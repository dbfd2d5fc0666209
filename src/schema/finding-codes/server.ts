import { either, error, warning } from "./code.js";

/** Settings. */
export const settingsCodes = {
  BootstrapOnly: warning(
    "The setting is a value of Envoy's runtime, which is not served.",
    "Write the bootstrap with `isoline bootstrap --settings`.",
    "`listener: {maxRequestsPerIOCycle: 1}` for `isoline check`.",
  ),
  ForgeableLog: warning(
    "A text format of access logs lets clients forge entries.",
    "Use the format `json`.",
    "`accesslogFormat: envoy`.",
  ),
  Managed: warning(
    "Isoline sets the value itself. It is left out.",
    "Remove it.",
    "A runtime key of Isoline's own.",
  ),
  NoEffect: warning(
    "The setting has no effect here.",
    "Remove it, or use what the message names.",
    "`debug: true` of Contour's configuration.",
  ),
  SettingsTwice: warning(
    "Several objects among the files hold settings. The first one is used.",
    "Leave one, or choose with `--settings FILE`.",
    "Two ContourConfigurations in one folder.",
  ),
  UnknownKey: warning(
    "There is no such setting. It has no effect.",
    "Correct the name, or remove it.",
    "`ingresClassNames: [contour]`.",
  ),
} as const;

/** Servers, pushes and clusters that are followed. */
export const serverCodes = {
  ClusterConflict: either(
    "Several clusters have different objects of one name. One cluster's is used. A warning for objects without routes.",
    "Make the objects the same, or give one another name.",
    "`HTTPProxy/shop/web` with different routes in the clusters `east` and `west`.",
  ),
  CompilerFault: error(
    "The compiler failed on what the object takes part in. That is a fault of Isoline: please report it with the message.",
    "Until it is mended, change the object back.",
    "None is known.",
  ),
  Conflict: error(
    "The object is in another source of the server. The push is refused.",
    "Remove it from one of the sources.",
    "`HTTPProxy/shop/web` pushed to the sources `web` and `api`.",
  ),
  HeldEmpty: warning(
    "A cluster's list of a kind is empty where there were objects: they stay as they were for now.",
    "If it is meant, `isoline accept-shrink` says so.",
    "All HTTPProxies gone at once.",
  ),
  HeldShrink: warning(
    "A cluster's list of a kind lacks much of what was there: it stays as it was for now.",
    "If it is meant, `isoline accept-shrink` says so.",
    "Half of all HTTPProxies gone at once.",
  ),
  HeldVersionWentBack: warning(
    "A cluster answers with an older state than before, as after a restored backup: what was there stays for now.",
    "If it is meant, `isoline accept-shrink` says so.",
    "An API server that was restored from a backup.",
  ),
  LastGoodKept: error(
    "An object that was edited in a push is not valid as it is now, and its hosts would go down. Its text of the revision that the message names is served.",
    "Correct the object and push again, or remove it from the push.",
    "A push that gives a route of an HTTPProxy a port that its Service does not have.",
  ),
  NamespaceNotAllowed: error(
    "The token of a push is for other namespaces. The push is refused.",
    "Push with another token, or move the object.",
    "`HTTPProxy/shop/web` pushed with a token of `namespaces=team-a`.",
  ),
  NotReady: warning(
    "The server has not read the cluster yet: admission checked the fields alone.",
    "None is needed.",
    "An object that is applied while the server starts.",
  ),
  NotWritten: warning(
    "The status of the object can't be written to the cluster.",
    "See the message; often a role lacks the permission (`isoline manifests rbac`).",
    "An API server that refuses the status as too large.",
  ),
  SetAside: error(
    "A revision of a source could not be applied after a restart. The one before is served.",
    "Push the source again.",
    "A server that ended while it applied a push.",
  ),
  StoreLost: error(
    "The server has lost its store. Envoys keep what they have.",
    "Push every source again; an admin's `POST /sources?complete` says that what is pushed is all.",
    "A restart of `isoline serve --push` without `--store`.",
  ),
  TooMuchHeld: warning(
    "A source holds 32 MB of objects that stay as they were before. The text before of further objects is not kept.",
    "Correct the objects that are not valid, and push again.",
    "Thousands of large HTTPProxies that are broken in one push.",
  ),
  Unnamed: error(
    "An object of a push has no valid kind or name and may be any that was there before, so that none is removed.",
    "Give the object a kind and a name.",
    "`metadata: {name: Web_1}`.",
  ),
} as const;

import { either, error, warning } from "./code.js";

/** Settings. */
export const settingsCodes = {
  BootstrapOnly: warning(
    "Envoy reads the setting only from its bootstrap; the server can't send it.",
    "Write the bootstrap with `isoline bootstrap --settings`.",
    "`listener: {maxRequestsPerIOCycle: 1}` for `isoline check`.",
  ),
  ForgeableLog: warning(
    "A text format of access logs lets clients forge entries.",
    "Use the format `json`.",
    "`accesslogFormat: envoy`.",
  ),
  Managed: warning(
    "Isoline sets this value. The setting is ignored.",
    "Remove it.",
    "A runtime key that Isoline uses.",
  ),
  NoEffect: warning(
    "The setting has no effect in this place.",
    "Remove it, or use the alternative in the message.",
    "`debug: true` of Contour's configuration.",
  ),
  SettingsTwice: warning(
    "Several objects in the files contain settings. The first one is used.",
    "Keep one, or select one with `--settings FILE`.",
    "Two ContourConfigurations in one folder.",
  ),
  UnknownKey: warning(
    "The setting does not exist. The key has no effect.",
    "Correct the name, or remove it.",
    "`ingresClassNames: [contour]`.",
  ),
} as const;

/** Servers, pushes and followed Kubernetes clusters. */
export const serverCodes = {
  ClusterConflict: either(
    "Several Kubernetes clusters have different objects with the same name. The object of one cluster is used. This is a warning for objects without routes.",
    "Make the objects equal, or rename one of them.",
    "`HTTPProxy/shop/web` with different routes in the clusters `east` and `west`.",
  ),
  CompilerFault: error(
    "The compiler failed on the object or a part of its configuration. This is a bug in Isoline: please report it with the message.",
    "Restore the previous version of the object until the bug is fixed.",
    "None is known.",
  ),
  Conflict: error(
    "Another source of the server has the object. The push is refused.",
    "Remove it from one of the sources.",
    "`HTTPProxy/shop/web` pushed to the sources `web` and `api`.",
  ),
  HeldEmpty: warning(
    "The Kubernetes API returned an empty list for a kind that had objects. The objects stay unchanged for now.",
    "If this is intended, confirm it with `isoline accept-shrink`.",
    "All HTTPProxies gone at once.",
  ),
  HeldShrink: warning(
    "The Kubernetes API returned a list without many of the previous objects. They stay unchanged for now.",
    "If this is intended, confirm it with `isoline accept-shrink`.",
    "Half of all HTTPProxies gone at once.",
  ),
  HeldVersionWentBack: warning(
    "The Kubernetes API returned an older state than before, as after a restored backup. The objects stay unchanged for now.",
    "If this is intended, confirm it with `isoline accept-shrink`.",
    "An API server that was restored from a backup.",
  ),
  LastGoodKept: error(
    "A push made an object invalid, which would stop its hosts. The server uses the object of the revision in the message.",
    "Correct the object and push again, or remove it from the push.",
    "A push that changes the port of a route to one that the Service does not have.",
  ),
  NamespaceNotAllowed: error(
    "The token of the push does not allow the namespace. The push is refused.",
    "Push with another token, or move the object.",
    "`HTTPProxy/shop/web` pushed with a token of `namespaces=team-a`.",
  ),
  NotReady: warning(
    "The server has not read the Kubernetes cluster yet: admission checked only the fields.",
    "No action is required.",
    "An object that is applied while the server starts.",
  ),
  NotWritten: warning(
    "The status of the object can't be written to the Kubernetes API.",
    "See the message; often the role lacks a permission (`isoline manifests rbac`).",
    "An API server that refuses the status as too large.",
  ),
  SetAside: error(
    "A revision of a source could not be applied after a restart. The previous revision is served.",
    "Push the source again.",
    "A server that stopped while it applied a push.",
  ),
  StoreLost: error(
    "The server has lost its store. Envoys keep their configuration.",
    "Push every source again; then confirm with an admin token that all sources are present: `POST /sources?complete`.",
    "A restart of `isoline serve --push` without `--store`.",
  ),
  TooMuchHeld: warning(
    "A source has 32 MB of previous versions of invalid objects. The previous versions of further objects are not kept.",
    "Correct the invalid objects, and push again.",
    "A push that makes thousands of large HTTPProxies invalid.",
  ),
  Unnamed: error(
    "An object of a push has no valid kind or name and may be any previous object, so no object is removed.",
    "Give the object a kind and a name.",
    "`metadata: {name: Web_1}`.",
  ),
} as const;

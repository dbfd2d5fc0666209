import { apiErrors } from "./api-errors.js";
import { aheadReplicaDies, clockAhead, clockJumps } from "./clocks.js";
import { allCutOff, cutOffReplica } from "./cut-off-replica.js";
import { hungPoll } from "./hung-poll.js";
import { hungRequests } from "./hung-requests.js";
import { idleConnectionsCut } from "./idle-connections-cut.js";
import { joinedTables } from "./joined-tables.js";
import { oldVersions } from "./old-versions.js";
import { oneClusterAway } from "./one-cluster-away.js";
import { partialLists } from "./partial-lists.js";
import { pushAfterDamage, pushAfterRestart } from "./pushes.js";
import { allCertificatesRenamed, someCertificatesRenamed } from "./renamed-certificates.js";
import { renewedToken } from "./renewed-token.js";
import { restartIdle } from "./restart-idle.js";
import { restartWithoutApi } from "./restart-without-api.js";
import { silentConnections } from "./silent-connections.js";
import { hungReplica, stoppedReplica } from "./stopped-replica.js";
import { damagedRows, fullDisk, locksLeftBehind, twoServersOneFile } from "./stores.js";
import type { Experiment } from "./support/experiment.js";
import { switchOverReplicas } from "./switch-over-replicas.js";

export { soaks } from "./soaks.js";

/** In the order of the table. */
export const experiments: readonly Experiment[] = [
  silentConnections,
  hungRequests,
  hungPoll,
  idleConnectionsCut,
  oldVersions,
  apiErrors,
  renewedToken,
  partialLists,
  someCertificatesRenamed,
  allCertificatesRenamed,
  restartWithoutApi,
  restartIdle,
  oneClusterAway,
  switchOverReplicas,
  stoppedReplica,
  hungReplica,
  cutOffReplica,
  allCutOff,
  clockAhead,
  aheadReplicaDies,
  clockJumps,
  pushAfterRestart,
  pushAfterDamage,
  locksLeftBehind,
  twoServersOneFile,
  damagedRows,
  fullDisk,
  joinedTables,
];

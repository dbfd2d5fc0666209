import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** The namespace of the pod of this process; outside a pod, Contour's namespace. */
export function podNamespace(): string {
  try {
    return readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "utf8").trim();
  } catch {
    return "projectcontour";
  }
}

/** The name of this process in a lease, unique among the processes of its host. */
export const replicaIdentity = (): string => `${hostname()}_${randomBytes(4).toString("hex")}`;

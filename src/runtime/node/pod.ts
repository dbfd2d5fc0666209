import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** The namespace of the pod that this process runs in; Contour's where it runs in none. */
export function podNamespace(): string {
  try {
    return readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "utf8").trim();
  } catch {
    return "projectcontour";
  }
}

/** Names this process in a lease: other than each of its host before. */
export const replicaIdentity = (): string => `${hostname()}_${randomBytes(4).toString("hex")}`;

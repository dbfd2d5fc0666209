import type { KubeObject } from "../schema/object.js";
import type { routeKinds } from "../schema/routing-kinds.js";

/** A condition without its time (apimachinery's Condition). */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export type GatewayKind =
  | "GatewayClass"
  | "Gateway"
  | "ListenerSet"
  | (typeof routeKinds)[number]
  | "BackendTLSPolicy";

export interface GatewayStatus {
  readonly kind: GatewayKind;
  readonly status: Readonly<Record<string, unknown>>;
}

/** An object with the generation that is observed. */
export type ObservedObject = Pick<KubeObject, "meta">;

const condition =
  (status: Condition["status"]) =>
  ({ meta }: ObservedObject, type: string, reason: string, message: string): Condition => ({
    type,
    status,
    observedGeneration: meta.generation,
    reason,
    message,
  });

export const good = condition("True");
export const bad = condition("False");

/** A listener of a Gateway. */
export interface GatewaySeat {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly listener: string;
  /** `namespace/name` of the ListenerSet that has the listener. */
  readonly listenerSet?: string;
  /** The port of the Gateway. */
  readonly port: number;
}

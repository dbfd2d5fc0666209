import type { DurableObjectId } from "@cloudflare/workers-types";

/** A binding that answers requests, with the standard types of `fetch`. */
export interface Fetching {
  fetch(request: Request): Promise<Response>;
}

/** The Durable Objects of a class. */
export interface Objects {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Fetching;
}

/** The deployed version of the Worker (`version_metadata`). */
export interface DeployedVersion {
  readonly id: string;
  readonly tag: string;
  readonly timestamp: string;
}

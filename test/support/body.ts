import type { Body } from "../../src/link/body.js";

/** All bytes of a response. */
export const bytesOfBody = (body: Body): Uint8Array => Buffer.concat([...body.chunks()]);

export const textOfBody = (body: Body): string => new TextDecoder().decode(bytesOfBody(body));

/** Encodes a response chunk by chunk, as for a client; returns its size in bytes. */
export function encodeBody(body: Body): number {
  let size = 0;
  for (const chunk of body.chunks()) size += chunk.length;
  return size;
}

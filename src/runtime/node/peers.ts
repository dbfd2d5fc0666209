import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";

const timeoutMs = 3000;

/**
 * Finds another replica whose served state is up to date. A name may have several addresses: each is tried.
 *
 * @returns The address of one such replica; undefined if none answers so within three seconds.
 */
export async function freshPeer(peers: readonly URL[], trust: PeerTrust): Promise<string | undefined> {
  const found = await Promise.all(peers.map(addressesOf));
  const asked = found.flat().map(async ({ url, address }) => {
    if (await isFresh(url, address, trust)) return address;
    throw new Error("not up to date");
  });
  return Promise.any(asked).catch(() => undefined);
}

export interface PeerTrust {
  /** The certificate (DER) of this server: its replicas have the same one, whatever their address. */
  certificate?(): Buffer | undefined;
}

interface PeerAddress {
  readonly url: URL;
  readonly address: string;
}

async function addressesOf(url: URL): Promise<readonly PeerAddress[]> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => ({ url, address }));
}

function isFresh(url: URL, address: string, trust: PeerTrust): Promise<boolean> {
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const options = {
    host: address,
    port: url.port || (secure ? 443 : 80),
    path: "/readyz?fresh",
    headers: { host: url.host },
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    // The certificate is compared below; no secret is sent before that.
    ...(secure ? { rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) } : {}),
  } as const;
  return new Promise((resolve) => {
    const sent = secure ? httpsRequest(options) : httpRequest(options);
    sent.on("error", () => resolve(false));
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200 && (!secure || isTrusted(response, trust)));
    });
    sent.end();
  });
}

function isTrusted(response: IncomingMessage, { certificate }: PeerTrust): boolean {
  const socket = response.socket as TLSSocket;
  const shown = socket.getPeerX509Certificate()?.raw;
  const own = certificate?.();
  return socket.authorized || (shown !== undefined && own !== undefined && shown.equals(own));
}

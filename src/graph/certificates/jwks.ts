/** Members of a key that Envoy reads, as text. */
type Key = Readonly<Record<string, string>>;

/** P-256, P-384 and P-521 (FIPS 186-4 §D.1.2): y² = x³ − 3x + b modulo p. */
const curves: Readonly<Record<string, { readonly alg: string; readonly p: bigint; readonly b: bigint }>> = {
  "P-256": {
    alg: "ES256",
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    alg: "ES384",
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  "P-521": {
    alg: "ES512",
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

/** The key types that Envoy supports, and the members that it reads. */
const members: Readonly<Record<string, readonly string[]>> = {
  RSA: ["n", "e"],
  EC: ["crv", "x", "y"],
  oct: ["k"],
  OKP: ["crv", "x"],
};

/**
 * The keys of a JSON Web Key Set that Envoy can use, written as ASCII JSON; undefined without such a key. Envoy
 * refuses a whole listener for a set without a usable key, or for JSON that its parser rejects. So only parsed values
 * are passed on, never the original text.
 *
 * @param bytes the set as a byte string: one character for each byte.
 */
export function usableKeys(bytes: string): string | undefined {
  const keys = readKeys(bytes)
    .map(readKey)
    .filter((key) => key !== undefined);
  if (keys.length === 0) return undefined;
  const ascii = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify({ keys }).replace(/[^\0-\x7f]/g, ascii);
}

function readKeys(bytes: string): readonly unknown[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(bytes, (char) => char.charCodeAt(0)),
    );
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys : [];
  } catch {
    return [];
  }
}

function readKey(value: unknown): Key | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text = (name: string): string | undefined => {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    return typeof member === "string" && !/\p{Surrogate}/u.test(member) ? member : undefined;
  };
  const kty = text("kty") ?? "";
  const names = Object.hasOwn(members, kty) ? members[kty] : undefined;
  if (!names) return undefined;
  const [alg, kid] = [text("alg"), text("kid")];
  const own: Record<string, string> = {};
  for (const name of names) {
    const member = name === "crv" ? text(name) : canonical(text(name));
    if (member !== undefined) own[name] = member;
    else if (name !== "crv") return undefined;
  }
  const key = { kty, ...(kid === undefined ? {} : { kid }), ...(alg ? { alg } : {}), ...own };
  return isUsable(key) ? key : undefined;
}

function isUsable(key: Key): boolean {
  const { alg } = key;
  switch (key.kty) {
    case "RSA":
      return (alg === undefined || /^[RP]S/.test(alg)) && isRsa(key);
    case "EC":
      return isOnCurve(key);
    case "oct":
      return (alg === undefined || /^HS(256|384|512)$/.test(alg)) && key.k !== "";
    default:
      return (alg === undefined || alg === "EdDSA") && key.crv === "Ed25519" && decode(key.x).length === 32;
  }
}

function isRsa({ n, e }: Key): boolean {
  const [modulus, exponent] = [integer(n), integer(e)];
  const bits = modulus.toString(2).length;
  return (exponent === 3n || exponent === 65537n) && bits >= 1024 && bits <= 8192 && (modulus & 1n) === 1n;
}

function isOnCurve({ alg, crv, x, y }: Key): boolean {
  const named = crv ?? Object.keys(curves).find((name) => curves[name]?.alg === alg) ?? (alg ? "" : "P-256");
  const curve = Object.hasOwn(curves, named) ? curves[named] : undefined;
  if (!curve || (alg !== undefined && alg !== curve.alg)) return false;
  const [u, v, { p, b }] = [integer(x), integer(y), curve];
  return u < p && v < p && (v * v - u * u * u + 3n * u - b) % p === 0n;
}

/** Base64url without padding and stray bits; undefined for other text. */
function canonical(text: string | undefined): string | undefined {
  if (text === undefined || !/^[A-Za-z0-9_-]*={0,2}$/.test(text)) return undefined;
  try {
    return btoa(decode(text)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  } catch {
    return undefined;
  }
}

const decode = (text = ""): string => atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""));

const integer = (text: string | undefined): bigint =>
  BigInt(
    `0x0${Array.from(decode(text), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("")}`,
  );

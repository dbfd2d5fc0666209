const ciphers = new Set([
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
]);

const curves = new Set(["X25519", "P-256", "P-384", "P-521", "X25519MLKEM768", "MLKEM1024"]);

/** A TLS 1.2 cipher suite that Envoy supports, or several with equal preference: `[A|B]`. */
export const isCipherSuite = (text: string): boolean =>
  (/^\[.*\]$/.test(text) ? text.slice(1, -1).split("|") : [text]).every((one) => ciphers.has(one));

/** A key exchange group, by BoringSSL's name. */
export const isCurve = (text: string): boolean => curves.has(text);

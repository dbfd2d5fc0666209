import type { CodeText } from "./finding-codes/code.js";
import { fileCodes } from "./finding-codes/files.js";
import { gatewayCodes } from "./finding-codes/gateway.js";
import { hostCodes, lintCodes } from "./finding-codes/lint.js";
import { routeCodes } from "./finding-codes/routes.js";
import { serverCodes, settingsCodes } from "./finding-codes/server.js";
import { tlsCodes } from "./finding-codes/tls.js";

/** All finding codes by area, in the order of `docs/findings.md`. */
export const codeAreas = {
  "Files, fields and annotations": fileCodes,
  "Without effect, or not served": lintCodes,
  Hosts: hostCodes,
  "Routes, policies, includes and Services": routeCodes,
  "TLS, authorization and tokens": tlsCodes,
  "The Gateway API": gatewayCodes,
  Settings: settingsCodes,
  "Servers and clusters": serverCodes,
} as const;

const codes = {
  ...fileCodes,
  ...lintCodes,
  ...hostCodes,
  ...routeCodes,
  ...tlsCodes,
  ...gatewayCodes,
  ...settingsCodes,
  ...serverCodes,
} as const;

type Codes = typeof codes;

/** The `reason` of a `Finding`: a stable name. */
export type FindingCode = keyof Codes;

type Except<S extends CodeText["severity"]> = {
  [Code in FindingCode]: Codes[Code]["severity"] extends S ? never : Code;
}[FindingCode];

/** Codes that an error may have. */
export type ErrorCode = Except<"warning">;
/** Codes that a warning may have. */
export type WarningCode = Except<"error">;

export const findingCodes: Readonly<Record<FindingCode, CodeText>> = codes;

/** Whether text is a code of this version. A server of another version may send other codes. */
export const isFindingCode = (text: string): text is FindingCode => Object.hasOwn(codes, text);

import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");

function settingOf(key: string): string {
  const [, value] = new RegExp(`^${key} = (.+)$`, "m").exec(text) ?? [];
  if (value === undefined) throw new Error(`wrangler.toml has no ${key}`);
  return value;
}

/** What the Worker is deployed with. */
export const compatibility = {
  compatibilityDate: JSON.parse(settingOf("compatibility_date")) as string,
  compatibilityFlags: JSON.parse(settingOf("compatibility_flags")) as string[],
};

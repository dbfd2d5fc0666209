/** How findings can be written. */
export const checkFormats = ["text", "json", "github", "gitlab", "sarif"] as const;
export type CheckFormat = (typeof checkFormats)[number];

/** Output formats of findings. */
export const checkFormats = ["text", "json", "github", "gitlab", "sarif"] as const;
export type CheckFormat = (typeof checkFormats)[number];

/** The schemas of `isoline schema`. */
export const schemaNames = ["api", "settings"] as const;

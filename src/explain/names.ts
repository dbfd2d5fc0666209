/** A cluster's name without the hash of its content: `namespace/service/port`. */
export const serviceOf = (cluster: string): string => cluster.replace(/\/[0-9a-f]{16}$/, "");

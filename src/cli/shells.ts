/** The shells of `isoline completion`. */
export const shells = ["bash", "fish", "zsh"] as const;

/** The continuations of a beginning by their next letter; `end` where a name ends, `any` where every continuation does. */
type Trie = Map<string, Trie>;
const end = "";
const any = "*";

/**
 * An expression (RE2) that matches every header name except some, and no pseudo-header such as `:status`. RE2 has no
 * negation: the expression lists, after each beginning of an excluded name, how other names continue.
 *
 * @param names In lower case, of letters and `-`; one that ends in `*` stands for all names with this beginning.
 */
export function allExcept(names: readonly string[]): string {
  const root: Trie = new Map();
  for (const name of names) {
    let at = root;
    for (const letter of [...name, end]) {
      const next = at.get(letter) ?? new Map<string, Trie>();
      at.set(letter, next);
      at = next;
    }
  }
  return continuations(root, ":");
}

/** Matches all continuations that are not in a trie and do not begin with a letter of `excluded`. */
function continuations(trie: Trie, excluded = ""): string {
  const letters = [...trie.keys()].filter((letter) => letter !== end).sort();
  const open = letters.filter((letter) => !trie.get(letter)?.has(any));
  const listed = (excluded + letters.join("")).replace("-", "\\-");
  const choices = [
    listed === "" ? ".+" : `[^${listed}].*`,
    ...open.map((letter) => letter + continuations(trie.get(letter) ?? new Map())),
  ];
  return `(?:${choices.join("|")})${trie.has(end) ? "" : "?"}`;
}

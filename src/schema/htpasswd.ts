/** A line of an htpasswd file or, of a Secret whose keys are users, a hash. */
const line = /^[^\s:]+:\S+$/;
const shaHash = /^\{SHA\}[A-Za-z0-9+/]{27}=$/;
/** Hashes of other kinds: bcrypt, apr1, crypt, and those with a name in braces. */
const anyHash = /^(?:\$[a-z0-9]+\$\S+|\{[A-Z0-9]+\}\S+)$/i;

const linesOf = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((one) => one.trim())
    .filter((one) => one !== "" && !one.startsWith("#"));

/** Whether a value of a Secret holds hashes of passwords. */
export function holdsPasswords(text: string): boolean {
  const lines = linesOf(text);
  if (lines.length === 1 && anyHash.test(lines[0] ?? "")) return true;
  return (
    lines.length > 0 && lines.every((one) => line.test(one) && anyHash.test(one.slice(one.indexOf(":") + 1)))
  );
}

/**
 * The users of a Secret with `{SHA}` hashes, which are the only ones that Envoy takes, as lines `user:hash` sorted by name; and how many
 * users have other hashes. `auth-file`: the key `auth` holds lines; `auth-map`: each key is a user.
 */
export function basicAuthUsers(
  data: Readonly<Record<string, string>>,
  form: "auth-file" | "auth-map",
): { readonly users: readonly string[]; readonly others: number } {
  const all =
    form === "auth-file"
      ? linesOf(data.auth ?? "")
      : Object.entries(data).flatMap(([user, hash]) =>
          anyHash.test(hash.trim()) ? [`${user}:${hash.trim()}`] : [],
        );
  const byName = new Map<string, string>();
  let others = 0;
  for (const one of all) {
    const [user = "", hash = ""] = [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1)];
    if (user !== "" && shaHash.test(hash)) byName.set(user, one);
    else others++;
  }
  return { users: [...byName.values()].sort(), others };
}

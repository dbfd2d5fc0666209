import type { Command, Option } from "commander";
import type { shells } from "./shells.js";

/** A command, and the words and options that may follow it. */
interface Node {
  /** The words after the program's name, such as `fleet export`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly commands: readonly Node[];
  /** The allowed values of its arguments, if they are fixed. */
  readonly words: readonly string[];
}

interface CompletedOption {
  /** The names of the option, such as `-f` and `--file`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** The allowed values, if they are fixed. */
  readonly choices: readonly string[];
}

/**
 * The script that completes the commands, options and fixed values of a program. Other words are completed as files.
 */
export function completionScript(shell: (typeof shells)[number], program: Command): string {
  const root = nodeOf(program, []);
  const { [shell]: write } = { bash, fish, zsh };
  return write(program.name(), root);
}

function nodeOf(command: Command, path: readonly string[]): Node {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((one) => nodeOf(one, [...path, one.name()]));
  return {
    path: path.join(" "),
    description: command.description(),
    options: help.visibleOptions(command).map(optionOf),
    commands,
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
}

const optionOf = ({ short, long, description, required, optional, argChoices }: Option): CompletedOption => ({
  flags: [short, long].filter((flag) => flag !== undefined),
  description,
  takesValue: required || optional,
  choices: argChoices ?? [],
});

const withInner = (node: Node): readonly Node[] => [node, ...node.commands.flatMap(withInner)];
const lastWord = ({ path }: Node): string => path.split(" ").at(-1) ?? "";
const wordsAfter = ({ commands, words }: Node): string[] => [...commands.map(lastWord), ...words];
/** A text in single quotes, valid in all three shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function bash(name: string, root: Node): string {
  const nodes = withInner(root);
  const paths = nodes.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const values = nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flags, choices }) => {
        const found = choices.length > 0 ? `compgen -W ${quoted(choices.join(" "))}` : "compgen -f";
        return `    ${flags.map((flag) => quoted(`${path} ${flag}`)).join("|")}) found=$(${found} -- "$cur") ;;`;
      }),
  );
  const words = nodes.map((node) => {
    const flags = node.options.flatMap((option) => option.flags);
    return `    ${quoted(node.path)}) words=${quoted([...wordsAfter(node), ...flags].join(" "))} ;;`;
  });
  return `# bash completion of ${name}
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= words= found= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $prev" in
${values.join("\n")}
    *)
      case "$path" in
${words.join("\n").replace(/^/gm, "    ")}
      esac
      found=$(compgen -W "$words" -- "$cur")
      [ -n "$found" ] || [ -z "$path" ] || found=$(compgen -f -- "$cur") ;;
  esac
  local IFS=$'\\n'
  COMPREPLY=($found)
}
complete -o filenames -F _${name} ${name}
`;
}

function fish(name: string, root: Node): string {
  const lines = withInner(root).flatMap((node) => {
    const at = fishCondition(node);
    const words = node.commands.map(
      (one) => `complete -c ${name} -f -n ${at} -a ${lastWord(one)} -d ${fishText(one.description)}`,
    );
    const values =
      node.words.length > 0 ? [`complete -c ${name} -f -n ${at} -a ${fishText(node.words.join(" "))}`] : [];
    const options = node.options.map(({ flags, description, takesValue, choices }) => {
      const names = flags.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value = choices.length > 0 ? ` -x -a ${fishText(choices.join(" "))}` : takesValue ? " -r" : "";
      return `complete -c ${name} -n ${at} ${names.join(" ")}${value} -d ${fishText(description)}`;
    });
    return [...words, ...values, ...options];
  });
  return `# fish completion of ${name}\n${lines.join("\n")}\n`;
}

/** The condition that the words before the cursor name the command and none of its subcommands. */
function fishCondition({ path, commands }: Node): string {
  const seen = path === "" ? [] : path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const inner = commands.map(lastWord).join(" ");
  const unseen = inner === "" ? [] : [`not __fish_seen_subcommand_from ${inner}`];
  return quoted([...seen, ...unseen].join("; and "));
}

const fishText = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function zsh(name: string, root: Node): string {
  const functions = withInner(root).map((node) => zshFunction(name, node));
  const own = `_${name}`;
  return `#compdef ${name}
# zsh completion of ${name}
${functions.join("\n")}
if [ "\${funcstack[1]}" = ${own} ]; then ${own} "$@"; else compdef ${own} ${name}; fi
`;
}

const zshName = (name: string, path: string): string =>
  [`_${name}`, path.replaceAll(/[ -]/g, "_")].filter(Boolean).join("_");

function zshFunction(name: string, node: Node): string {
  const specs = node.options.flatMap(({ flags, description, takesValue, choices }) => {
    const action = choices.length > 0 ? `(${choices.join(" ")})` : "_files";
    const value = takesValue ? `:value:${action}` : "";
    return flags.map((flag) => quoted(`*${flag}[${description.replace(/[[\]\\:]/g, "\\$&")}]${value}`));
  });
  const head = `${zshName(name, node.path)}() {\n`;
  if (node.commands.length === 0) {
    const words = node.words.length > 0 ? `*:value:(${node.words.join(" ")})` : "*:file:_files";
    return `${head}  _arguments ${[...specs, quoted(words)].join(" \\\n    ")}\n}`;
  }
  const listed = node.commands.map(
    (one) => `${lastWord(one)}\\:${JSON.stringify(one.description.replace(/[\\"`$]/g, ""))}`,
  );
  const cases = node.commands.map((one) => `      ${lastWord(one)}) ${zshName(name, one.path)} ;;`);
  return `${head}  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...specs, quoted(`1:command:((${listed.join(" ")}))`), "'*::arg:->args'"].join(" \\\n    ")}
  case $state in
    args) case $line[1] in
${cases.join("\n")}
    esac ;;
  esac
}`;
}

import { type Command, Option } from "commander";

export const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];
export const files = (): Option =>
  new Option("-f, --file <path>", "manifests: a file, a folder or - (may be given more than once)")
    .argParser(collect)
    .default([])
    .makeOptionMandatory();
/** May be given more than once, with a name each; `withoutKubeNames` has made the one without a name plain. */
export const kube = (text: string): Option =>
  new Option(
    "--kube [name]",
    `${text}; as NAME or NAME=CONTEXT a context of it, more than once for several clusters as one`,
  ).argParser(collect);
/** Manifests, or a cluster as it is now. */
export const input = (command: Command): Command =>
  command
    .addOption(files())
    .addOption(kube("read the cluster of the kubeconfig, or that of the pod, instead of files"))
    .option("--kubeconfig <file>", "default: $KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "a context of the kubeconfig other than its current one");
export const build = (): Option =>
  new Option(
    "--build",
    "build kustomizations with kustomize or kubectl; without it their files are read as they are",
  );
/** Files may be a part of what a cluster holds. */
export const assumptions = (command: Command): Command =>
  command
    .option(
      "--assume-missing <kinds>",
      "what manifests refer to and is not among the files: auto (assumed where there is no object of its kind in its namespace, or another one makes it), none, all, or kinds such as services,secrets",
      "auto",
    )
    .addOption(
      new Option(
        "--known <file>",
        "a list of what exists elsewhere, a line of KIND/NAMESPACE/NAME each, where * is any text",
      )
        .argParser(collect)
        .default([]),
    )
    .addOption(build());
/** A running server in the place of manifests. */
export const server = (command: Command): Command =>
  command
    .option("--xds <url>", "ask a running server what it serves")
    .option("--token-file <file>", "with --xds: a token of the role read; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "with --xds: authorities (PEM) to trust for https beside the usual ones")
    .option("--insecure", "with --xds: send the token over plain HTTP");
export const settings = (): Option =>
  new Option("--settings <file>", "settings, or Contour's configuration file");

import { type Command, Option } from "commander";

export const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];
export const files = (): Option =>
  new Option("-f, --file <path>", "manifests: a file, a folder or - (may be given more than once)")
    .argParser(collect)
    .default([])
    .makeOptionMandatory();
/** May be repeated, each time with a name; `withoutKubeNames` marks the one without a name. */
export const kube = (text: string): Option =>
  new Option(
    "--kube [name]",
    `${text}; NAME or NAME=CONTEXT selects a context; may be repeated to merge several clusters`,
  ).argParser(collect);
/** Manifests, or the current objects of a Kubernetes cluster. */
export const input = (command: Command): Command =>
  command
    .addOption(files())
    .addOption(kube("read the cluster of the kubeconfig, or of the pod, instead of files"))
    .option("--kubeconfig <file>", "default: $KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "a context of the kubeconfig other than its current one");
export const build = (): Option =>
  new Option(
    "--build",
    "build kustomizations with kustomize or kubectl; otherwise their files are read as they are",
  );
/** For files that may be only a part of a Kubernetes cluster. */
export const assumptions = (command: Command): Command =>
  command
    .option(
      "--assume-missing <kinds>",
      "which referenced objects to assume if the files lack them: auto (if the namespace has no object of the kind, or another object creates it), none, all, or kinds such as services,secrets",
      "auto",
    )
    .addOption(
      new Option(
        "--known <file>",
        "a list of existing objects, one KIND/NAMESPACE/NAME per line; * matches any text",
      )
        .argParser(collect)
        .default([]),
    )
    .addOption(build());
/** A running server instead of manifests. */
export const server = (command: Command): Command =>
  command
    .option("--xds <url>", "use the served configuration of a running server")
    .option("--token-file <file>", "with --xds: a token of the role read; default: $ISOLINE_TOKEN")
    .option(
      "--ca-file <file>",
      "with --xds: authorities (PEM) to trust for https in addition to the usual ones",
    )
    .option("--insecure", "with --xds: send the token over plain HTTP");
export const settings = (): Option =>
  new Option("--settings <file>", "settings, or Contour's configuration file");

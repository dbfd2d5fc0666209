import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { ListenerChoice } from "../explain/request.js";
import { ago } from "../verdict/ago.js";
import type { Level } from "../verdict/verdict.js";
import { now } from "./api.js";

export const timeOf = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

const fullTime = (at: number): string => new Date(at).toLocaleString();

/** The age of a time, with the time as a tooltip. */
export const Ago = ({ at }: { readonly at: number }) => (
  <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
    {ago(at, now.value)}
  </time>
);

const signs: Readonly<Record<Level, string>> = { good: "✓", warning: "!", bad: "✕" };

/** A level as a shape, with a label for screen readers. */
export const Sign = ({ level, label }: { readonly level: Level; readonly label: string }) => (
  <span class={`sign sign-${level}`} role="img" aria-label={label}>
    {signs[level]}
  </span>
);

/** Text whose parts between backticks are shown as code. */
export const Marked = ({ text }: { readonly text: string }) => (
  <>{text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
);

export const number = (value: number): string => value.toLocaleString("en-US");

export const counted = (value: number, noun: string): string =>
  `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A button that copies a text. */
export function Copy({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = true;
      setTimeout(() => {
        copied.value = false;
      }, 1500);
    } catch {
      copied.value = false;
    }
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      <span aria-live="polite">{copied.value ? "Copied" : label}</span>
    </button>
  );
}

/** The notice for content that is loading, empty or not available. */
export const Empty = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

/** Links to the same view with one of several Gateways or addresses. */
export const Choices = ({
  choices,
  hrefOf,
}: {
  readonly choices: readonly ListenerChoice[];
  hrefOf(choice: ListenerChoice): string;
}) =>
  choices.length === 0 ? null : (
    <ul class="choices" aria-label="Gateways">
      {choices.map((choice) => (
        <li key={`${choice.gateway} ${choice.address}`}>
          <a class="button" href={hrefOf(choice)}>
            {choice.gateway ?? choice.address}
          </a>
        </li>
      ))}
    </ul>
  );

/** The message of a failed request. The previous content stays on the page. */
export const Failure = ({ text }: { readonly text: string }) =>
  text ? (
    <p class="failure" role="alert">
      {text}
    </p>
  ) : null;

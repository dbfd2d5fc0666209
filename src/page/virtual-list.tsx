import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface VirtualListProps<T> {
  readonly items: readonly T[];
  readonly rowHeight: number;
  readonly label: string;
  /** The column headers, also for screen readers. */
  readonly head: ComponentChildren;
  keyOf(item: T): string;
  row(item: T): ComponentChildren;
}

/** The number of rows that are rendered above and below the visible ones. */
const beyond = 8;

/**
 * A list that renders only the rows in view, so that ten thousand rows scroll as fast as ten. It scrolls with the page.
 * Arrow keys move the focus between the links of the rows.
 */
export function VirtualList<T>({ items, rowHeight, label, head, keyOf, row }: VirtualListProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const range = useSignal({ first: 0, last: 40 });
  useEffect(() => {
    const look = (): void => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - beyond);
      const last = Math.ceil((innerHeight - top) / rowHeight) + beyond;
      if (first !== range.value.first || last !== range.value.last) range.value = { first, last };
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [rowHeight, items.length]);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const current = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (step === undefined || !current) return;
    event.preventDefault();
    const wanted = Number(current.dataset.index) + step;
    const next = list.current?.querySelector<HTMLElement>(`[data-index="${wanted}"] a`);
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const { first, last } = range.value;
  const seen = items.slice(first, last);
  return (
    <div class="table" role="table" aria-label={label} aria-rowcount={items.length + 1}>
      <div class="table-head" role="row" aria-rowindex={1}>
        {head}
      </div>
      <div
        ref={list}
        role="rowgroup"
        class="table-body"
        style={{ height: `${items.length * rowHeight}px` }}
        onKeyDown={move}
      >
        {seen.map((item, i) => (
          <div
            key={keyOf(item)}
            role="row"
            class="table-row"
            aria-rowindex={first + i + 2}
            data-index={first + i}
            style={{ transform: `translateY(${(first + i) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {row(item)}
          </div>
        ))}
      </div>
    </div>
  );
}

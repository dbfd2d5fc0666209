import { h, type VNode } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { drawn, type SvgElement } from "../picture/draw.js";
import { laidOut } from "../picture/layout.js";
import type { Picture, PicturePart } from "../picture/model.js";

const vnodeOf = ({ tag, attributes, children }: SvgElement): VNode =>
  h(tag, attributes, ...children.map((child) => (typeof child === "string" ? child : vnodeOf(child))));

/** The picture of a host. A click on a box calls `choose`. */
export function RouteGraph({
  picture,
  choose,
}: {
  readonly picture: Picture;
  choose(part: PicturePart): void;
}) {
  const scene = useMemo(() => laidOut(picture), [picture]);
  const view = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const { current } = view;
    const routes = scene.boxes.find(({ kind }) => kind === "route");
    // A narrow screen starts at the routes, not at the listeners left of them.
    if (current && routes && current.clientWidth < routes.x + routes.width)
      current.scrollLeft = routes.x - 40;
  }, [picture.title]);
  const click = (event: MouseEvent): void => {
    const id = (event.target as Element).closest("[data-part]")?.getAttribute("data-part");
    const part = picture.parts.find((one) => one.id === id);
    if (part) choose(part);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a picture that is wider than the screen
    <section ref={view} class="picture" tabIndex={0} aria-label="Picture of the routes">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table of routes has the same links */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the table of routes has the same links */}
      <div class="picture-inner" onClick={click}>
        {vnodeOf(drawn(scene))}
      </div>
    </section>
  );
}

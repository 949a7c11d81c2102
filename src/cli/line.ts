import { styleText } from "node:util";

/** How a text looks in a terminal. */
export type Style = Parameters<typeof styleText>[0];

/** What a line is made of: text, with or without a style. */
export type Part = string | readonly [style: Style, text: string];

/** Parts as one line, cut to the width before styles are added. */
export function line(parts: readonly Part[], width: number): string {
  let left = width;
  return parts.map((part) => {
    const [style, text] = typeof part === "string" ? [undefined, part] : part;
    const shown = [...text].slice(0, left).join("");
    left -= [...shown].length;
    return style === undefined || shown === ""
      ? shown
      : styleText(style, shown, { validateStream: false });
  }).join("").trimEnd();
}

/** A peer id cut to a width: the end is what differs. */
export function shortPeer(peerId: string, width: number): string {
  return peerId.length <= width ? peerId : `…${peerId.slice(1 - width)}`;
}

const encoder = new TextEncoder();
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** A full-screen picture in the terminal; what was there comes back after it. */
export class Screen implements Disposable {
  #last = "";

  /** Takes the screen over. */
  constructor() {
    this.#write(ENTER);
  }

  /** Size of the terminal. */
  get size(): { readonly columns: number; readonly rows: number } {
    try {
      return Deno.consoleSize();
    } catch {
      return { columns: 80, rows: 24 };
    }
  }

  /** Shows lines, if they are not what is shown. */
  show(lines: readonly string[]): void {
    // Each line erases what is left of the one before it.
    const picture = `\x1b[H${
      lines.map((line) => `${line}\x1b[K`).join("\r\n")
    }\x1b[J`;
    if (picture === this.#last) return;
    this.#last = picture;
    this.#write(picture);
  }

  /** Gives the screen back. */
  [Symbol.dispose](): void {
    this.#write(LEAVE);
  }

  #write(text: string): void {
    const bytes = encoder.encode(text);
    try {
      for (let at = 0; at < bytes.length;) {
        at += Deno.stdout.writeSync(bytes.subarray(at));
      }
    } catch {
      // The terminal is gone; the signal that comes with it ends the rest.
    }
  }
}

import { MAX_LINE } from "../node_event.ts";

/** Bytes to lines of text; what follows in a line that is too long is dropped. */
export class TextLineStream extends TransformStream<Uint8Array, string> {
  /** Cuts at line feeds. */
  constructor() {
    const decoder = new TextDecoder();
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + decoder.decode(chunk, { stream: true }))
          .split("\n");
        rest = (lines.pop() as string).slice(0, MAX_LINE + 1);
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}

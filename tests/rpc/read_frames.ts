import { type Frame, FrameCutter } from "../../src/rpc/frames.ts";

/** The frames of a stream, to its end. */
export async function* readFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Frame> {
  const cutter = new FrameCutter();
  for await (const chunk of source) yield* cutter.cut(chunk);
  cutter.end();
}

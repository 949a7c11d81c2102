import type { Facts } from "./facts.ts";

/** One table of the page. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

/** What the tables need to be read rightly. */
const NOTES = `
- **Contest.** Each contestant runs alone in a process of its own, all its nodes
  in that one process, on loopback; meshnode and kad-dht (whose values are
  signed and checked by \`node:crypto\`) on Deno over TCP, Noise and Yamux, V8
  told what the executable tells it (\`src/cli/v8_flags.ts\`); hyperdht and
  bittorrent-dht on Node 22 over UDP. Puts and gets go to another
  node each time; the medians of several rounds' p50 and p99 are given, and the
  first round is not counted. "×" says how many times better meshnode is than
  the peer: over 1 it is better. Bytes and packets are those of the loopback
  device in a network namespace of the contestant's own, with all headers and
  TCP's acknowledgements. A processor's time is that of all nodes together.
- meshnode encrypts and authenticates its connections and signs every call in
  both directions; hyperdht and bittorrent-dht send plain datagrams. They also
  keep 20 copies of a record (meshnode 5), and know a part of the nodes only,
  where meshnode connects all with all: that is what its start and its memory
  pay for.
- **In memory** everything but libp2p is real: calls, frames, signatures,
  validation; streams are queues. The cost by the number of nodes is measured
  this way at every size, 8 to 4096, in a mesh whose nodes know each other.
- **Many writers** has the shape of the Mesh Template's \`benchmark_dht\`: real
  processes, killed with SIGKILL on the way. A get counts only if every value
  stored in its round came back; survival counts every value of every round at
  the end, in truth.`;

/** What stands at the end of a page that nothing was added to. */
const REST = `## Calls

\`deno task bench\` measures calls of 1 KiB between two processes on a kept
stream: signed in both directions by peers whose stake is checked, against the
same calls without signatures, and libp2p's ping.

## Consensus

\`deno task bench:consensus\` measures the processor time of a whole epoch (20
blocks) of one node among 256, all of whom work, and its journal.
`;

/** What other commands measured: the end of a page, which is kept. */
export function restOf(page: string): string {
  const at = page.indexOf("\n## Calls\n");
  return at < 0 ? REST : page.slice(at + 1);
}

/** The page `docs/benchmarks.md`; `rest` is its end. */
export function page(
  { at, cpu, cores, memoryGiB, deno, commit, load }: Facts,
  after: number,
  sections: readonly Section[],
  rest: string,
): string {
  const tables = sections.map(({ title, text }) =>
    `## ${title}\n\n\`\`\`text\n${text}\n\`\`\`\n`
  );
  return `# Benchmarks

Measured by \`deno task bench:dht --publish docs\`, which writes this page and
all numbers into [\`benchmarks.json\`](benchmarks.json), at ${at} on ${cores}
cores (${cpu}) with ${memoryGiB} GiB, Deno ${deno}, commit ${commit}.

**Load average: ${load.toFixed(2)} at the start, ${
    after.toFixed(2)
  } at the end.** ${
    load < 1.5
      ? "The machine was quiet."
      : "Others used the machine: times are worse than on a quiet one, for all\ncontestants. Messages and bytes are not touched by that, and the\nprocessor's time only a little."
  }
${NOTES}

${tables.join("\n")}
${rest}`;
}

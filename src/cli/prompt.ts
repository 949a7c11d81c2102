import { MeshError } from "../core/errors.ts";

/** Longest line that is read; mnemonics have at most 24 words. */
const LONGEST = 4_096;

/** Asks the person at the terminal. */
export interface Prompt {
  /** Whether there is anybody to ask. */
  readonly interactive: boolean;
  /** A question that is answered by yes or no; no by default. */
  confirm(question: string): Promise<boolean>;
  /** Something that is not shown while it is typed. */
  secret(question: string): Promise<string>;
}

/** The error for a person who ended a question. */
export class PromptEndedError extends MeshError {
  /** Says that nothing was done. */
  constructor() {
    super("DECLINED", "The question was not answered; nothing was done.");
    this.name = "PromptEndedError";
  }
}

/** What a terminal needs to be able to do. */
export interface Terminal {
  /** Reads what was typed; `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Shows a text. */
  write(text: string): void;
  /** Whether there is a terminal at both ends. */
  isTerminal(): boolean;
  /** Whether keys come one by one, and are not shown. */
  setRaw(raw: boolean): void;
}

/** Asks at the process's own terminal; questions go to standard error. */
export function terminalPrompt(terminal: Terminal = PROCESS): Prompt {
  return {
    interactive: terminal.isTerminal(),
    async confirm(question) {
      terminal.write(`${question} [y/N] `);
      const answer = await readLine(terminal, false);
      return /^(y|yes)$/i.test(answer.trim());
    },
    async secret(question) {
      // Before the question, as some answer at once.
      terminal.setRaw(true);
      try {
        terminal.write(`${question}: `);
        return await readLine(terminal, true);
      } finally {
        terminal.setRaw(false);
        terminal.write("\n");
      }
    },
  };
}

const PROCESS: Terminal = {
  read: (into) => Deno.stdin.read(into),
  write: (text) => {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  },
  isTerminal: () => Deno.stdin.isTerminal() && Deno.stderr.isTerminal(),
  setRaw: (raw) => Deno.stdin.setRaw(raw),
};

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const CTRL_U = 21;
const DELETE = 127;

/** One line, edited as far as a secret needs it when keys come one by one. */
async function readLine(terminal: Terminal, raw: boolean): Promise<string> {
  const typed: number[] = [];
  const chunk = new Uint8Array(256);
  while (true) {
    const length = await terminal.read(chunk);
    if (length === null) throw new PromptEndedError();
    for (const byte of chunk.subarray(0, length)) {
      if (byte === NEWLINE || byte === RETURN) {
        return new TextDecoder().decode(Uint8Array.from(typed));
      }
      if (!raw) typed.push(byte);
      else if (byte === CTRL_C || byte === CTRL_D) throw new PromptEndedError();
      else if (byte === CTRL_U) typed.length = 0;
      else if (byte === BACKSPACE || byte === DELETE) {
        // A character of several bytes goes as a whole.
        while (((typed.pop() ?? 0) & 0xc0) === 0x80) { /* its other bytes */ }
      } else typed.push(byte);
      if (typed.length > LONGEST) throw new PromptEndedError();
    }
  }
}

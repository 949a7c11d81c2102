import {
  type Identity,
  isKeystore,
  isSealed,
  readPrivateFile,
} from "../../identity/mod.ts";
import type { CommandContext } from "../command.ts";

/** Where an identity is kept when no path is given. */
export const DEFAULT_PATH = "identity.key";

/** What a key file is. */
export type KeyFile =
  | { readonly kind: "identity"; readonly sealed: boolean }
  | {
    readonly kind: "hotkey";
    readonly sealed: boolean;
    readonly text: string;
  };

/** Finds out what a key file is: an identity, encrypted or not, or an account's key. @throws {IdentityFileError} */
export async function keyFileAt(path: string): Promise<KeyFile> {
  const bytes = await readPrivateFile(path);
  if (isSealed(bytes)) return { kind: "identity", sealed: true };
  // A marshalled key begins with bytes that no text begins with.
  if (bytes[0] === 0x08 || bytes.length === 0) {
    return { kind: "identity", sealed: false };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { kind: "hotkey", sealed: isKeystore(text), text };
  } catch {
    return { kind: "identity", sealed: false };
  }
}

/** Prints facts, in a column or as JSON. */
export function tell(
  context: CommandContext,
  facts: Readonly<Record<string, string | undefined>>,
  json: boolean,
): void {
  const known = Object.entries(facts).filter(([, value]) =>
    value !== undefined
  ) as [string, string][];
  if (json) {
    context.out(JSON.stringify(Object.fromEntries(known)));
    return;
  }
  for (const [name, value] of known) {
    context.out(`${(TITLES[name] ?? name).padEnd(11)} ${value}`);
  }
}

const TITLES: Readonly<Record<string, string>> = {
  peerId: "Peer id",
  publicKey: "Public key",
  account: "Account",
  mnemonic: "Mnemonic",
  secret: "Secret",
  type: "Type",
  path: "File",
  protection: "Protection",
};

/** What is told of an identity. */
export function identityFacts(
  identity: Identity,
  path: string,
  protection?: string,
): Record<string, string | undefined> {
  return {
    path,
    type: identity.type,
    peerId: identity.peerId,
    publicKey: identity.openSsh,
    protection,
  };
}

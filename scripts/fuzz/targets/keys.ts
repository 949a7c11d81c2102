import {
  fromOpenSsh,
  generateIdentity,
  identityFromMarshalled,
  marshalPublicKey,
  openKeystore,
  parseKeystore,
  seal,
  sealedPeerId,
  sealKeystore,
  unmarshalPublicKey,
  unseal,
} from "../../../mod.ts";
import type { Target } from "../engine.ts";

const CHEAP = { logN: 10, r: 1, p: 1 };
const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** Keys, encrypted and not. */
export async function keyTargets(): Promise<Target[]> {
  const identities = [generateIdentity(), generateIdentity("rsa")];
  const sealed = await seal(
    identities[0] as typeof identities[0] & object,
    "p",
    CHEAP,
  );
  const keystore = await sealKeystore(
    new Uint8Array(32).fill(9),
    `0x${"ab".repeat(20)}`,
    "p",
    CHEAP,
  );
  return [
    {
      name: "identity-file",
      samples: identities.map(({ marshalled }) => marshalled),
      slowness: 10,
      run: identityFromMarshalled,
    },
    {
      name: "public-key",
      samples: identities.map(({ publicKey }) => marshalPublicKey(publicKey)),
      slowness: 5,
      run: unmarshalPublicKey,
    },
    {
      name: "openssh",
      samples: identities.map(({ openSsh }) => utf8.encode(openSsh)),
      slowness: 5,
      run: (bytes) => fromOpenSsh(latin1.decode(bytes)),
    },
    { name: "sealed-header", samples: [sealed], run: sealedPeerId },
    {
      name: "sealed-identity",
      samples: [sealed],
      slowness: 100,
      run: async (bytes) => {
        // Dear passphrase hashes are refused or paid for; this is about bytes.
        if (sealedCost(bytes) <= CHEAP.logN + 2) {
          identityFromMarshalled(await unseal(bytes, "p"));
        } else sealedPeerId(bytes);
      },
    },
    {
      name: "keystore",
      samples: [utf8.encode(keystore)],
      run: (bytes) => parseKeystore(latin1.decode(bytes)),
    },
    {
      name: "keystore-opened",
      samples: [utf8.encode(keystore)],
      slowness: 100,
      run: async (bytes) => {
        const parsed = parseKeystore(latin1.decode(bytes));
        const { kdf } = parsed;
        const cheap = kdf.name === "scrypt" && kdf.cost.logN <= 12 &&
          kdf.cost.r * kdf.cost.p <= 16;
        if (cheap) await openKeystore(parsed, "p");
      },
    },
  ];
}

function sealedCost(bytes: Uint8Array): number {
  const at = "meshnode-identity".length + 1;
  const [logN = 99, r = 99, p = 99] = bytes.subarray(at, at + 3);
  return r * p > 16 ? 99 : logN;
}

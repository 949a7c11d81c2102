import { ChainUnreadableError } from "../../../mod.ts";
import {
  ConnectionError,
  JsonRpcError,
} from "../../../src/chain/hypertensor/mod.ts";
import {
  isPassing,
  Patience,
} from "../../../src/chain/hypertensor/patience.ts";
import { judge } from "../../../src/chain/hypertensor/pool_errors.ts";
import { assert, assertEquals } from "../../assert.ts";

const pool = (number: number, message: string, data?: unknown) =>
  new JsonRpcError("author_submitExtrinsic", number, message, data);

Deno.test("every pool error is sorted: wait, retry, look, or stop", () => {
  for (
    const [error, verdict] of [
      [pool(1010, "Invalid Transaction", "Transaction is outdated"), "look"],
      [pool(1010, "Invalid Transaction", "stale"), "look"],
      [pool(1010, "Invalid Transaction", "future"), "look"],
      [
        pool(
          1010,
          "Invalid Transaction",
          "Inability to pay some fees (e.g. account balance too low)",
        ),
        "stop",
      ],
      [pool(1010, "Invalid Transaction", "payment"), "stop"],
      [
        pool(1010, "Invalid Transaction", "Transaction has a bad signature"),
        "runtime",
      ],
      [pool(1010, "Invalid Transaction", "badProof"), "runtime"],
      [
        pool(
          1010,
          "Invalid Transaction",
          "Transaction has an ancient birth block",
        ),
        "retry",
      ],
      [pool(1011, "Unknown Transaction Validity"), "retry"],
      [pool(1012, "Transaction is temporarily banned"), "retry"],
      [pool(1013, "Transaction Already Imported"), "pending"],
      [pool(1014, "Priority is too low"), "look"],
      [pool(1016, "Immediately Dropped"), "retry"],
      [pool(429, "Too many requests"), "retry"],
      [pool(-32029, "limit"), "retry"],
      [pool(-32601, "Method not found"), "stop"],
      [pool(7, "what is this"), "stop"],
      [new ConnectionError("lost"), "pending"],
      [new ChainUnreadableError("away"), "retry"],
      [new TypeError("a fault of ours"), "stop"],
    ] as const
  ) assertEquals(judge(error), verdict, `${error}`);
});

Deno.test("a busy endpoint is asked again, a refusing one is not", () => {
  assert(isPassing(pool(429, "")));
  assert(isPassing(pool(-32000, "Rate limit exceeded")));
  assert(!isPassing(pool(-32000, "Client error")));
  assert(!isPassing(new Error("Too many requests")));
});

Deno.test("pauses grow to half a minute, and are never all the same", () => {
  const least = new Patience(() => 0);
  const most = new Patience(() => 0.999999);
  for (let rounds = 0; rounds < 20; rounds++) {
    assert(least.round(rounds) < most.round(rounds));
    assert(least.round(rounds + 1) >= least.round(rounds));
    assert(most.round(rounds) <= 30_000);
  }
  assert(most.round(0) <= 100);
  assert(most.round(20) > 29_000);
});

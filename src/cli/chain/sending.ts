// What sending needs of @polkadot, loaded when a call is made.
import type { HypertensorClient } from "../../chain/hypertensor/client.ts";
import { encodeNetworkCall } from "../../chain/hypertensor/network_call.ts";
import { NetworkState } from "../../chain/hypertensor/network_state.ts";
import type { Order } from "../../chain/hypertensor/order.ts";
import {
  type Plan,
  type Planner,
  problemOf,
} from "../../chain/hypertensor/plans/plan.ts";
import { ChainCallError } from "../../chain/errors.ts";

export { accountFromSecret } from "../../chain/hypertensor/account.ts";
export {
  describeNetworkCall,
  encodeNetworkCall,
} from "../../chain/hypertensor/network_call.ts";
export { problemOf };

/**
 * The order for a plan that was agreed to: the call stays the same, and the
 * conditions are looked at again whenever it is made.
 */
export function orderOf(
  client: HypertensorClient,
  planner: Planner,
  plan: Plan,
  account: string,
): Order {
  const { call } = plan;
  return {
    name: call.name,
    encode: ({ types }) => encodeNetworkCall(types, call),
    async check(_view, { signal }) {
      const reader = await client.at(undefined, { signal });
      const state = new NetworkState(reader, signal);
      const { checks } = await planner(state, account);
      const failed = checks.find(({ holds }) => !holds);
      if (failed === undefined) return;
      throw new ChainCallError(failed.error, problemOf(failed));
    },
  };
}

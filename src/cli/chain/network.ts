// What the commands need of @polkadot, loaded when a chain is opened.
export { HypertensorChain } from "../../chain/hypertensor/hypertensor_chain.ts";
export { NetworkState } from "../../chain/hypertensor/network_state.ts";

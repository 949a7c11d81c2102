import { getHeapSpaceStatistics } from "node:v8";

/** Spaces of machine code and of what belongs to it: V8 compiles for hours, which is no leak. */
const CODE = /code|trusted|read_only/;

/** Bytes of the program's own objects, after the garbage was collected. */
export function ownHeap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !CODE.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

/** A priority queue from which any item can be removed. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #places = new Map<T, number>();
  readonly #rank: (item: T) => number;

  /** The item of least rank comes first; an item's rank never changes. */
  constructor(rank: (item: T) => number) {
    this.#rank = rank;
  }

  /** Items in it. */
  get size(): number {
    return this.#items.length;
  }

  /** Adds an item that is not in it. */
  add(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  /** Removes an item; an absent one is no error. */
  delete(item: T): void {
    const at = this.#places.get(item);
    if (at === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#sink(at, last);
    this.#rise(this.#places.get(last) as number, last);
  }

  /** The first items, which stay in it. */
  first(most: number): T[] {
    const found: T[] = [];
    for (let item = this.#items[0]; item !== undefined && most > 0; most--) {
      found.push(item);
      this.delete(item);
      item = this.#items[0];
    }
    for (const item of found) this.add(item);
    return found;
  }

  /** Moves an item towards the top, from a place that is its to take. */
  #rise(at: number, item: T): void {
    const rank = this.#rank(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#items[above] as T;
      if (this.#rank(parent) <= rank) break;
      this.#set(at, parent);
      at = above;
    }
    this.#set(at, item);
  }

  #sink(at: number, item: T): void {
    const rank = this.#rank(item);
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [this.#items[below], this.#items[below + 1]];
      if (left === undefined) break;
      let child = left;
      if (right !== undefined && this.#rank(right) < this.#rank(left)) {
        child = right;
        below++;
      }
      if (this.#rank(child) >= rank) break;
      this.#set(at, child);
      at = below;
    }
    this.#set(at, item);
  }

  #set(at: number, item: T): void {
    this.#items[at] = item;
    this.#places.set(item, at);
  }
}

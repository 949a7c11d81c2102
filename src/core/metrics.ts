/** Label names and values; values come from closed sets only. */
export type Labels = Readonly<Record<string, string>>;

/** Where parts count what they do. Names are Prometheus names. */
export interface Metrics {
  /** Adds to a counter, whose name ends in `_total`. */
  count(name: string, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Labels): void;
}

/** One value of a {@linkcode MetricsRegistry}. */
export interface Sample {
  /** The metric's name. */
  readonly name: string;
  /** Its labels. */
  readonly labels: Labels;
  /** Its present value. */
  readonly value: number;
}

/** Keeps metrics in memory. */
export class MetricsRegistry implements Metrics {
  readonly #samples = new Map<string, Sample>();

  /** Adds to a counter. */
  count(name: string, labels: Labels = {}, by = 1): void {
    this.#set(name, labels, this.get(name, labels) + by);
  }

  /** Sets a gauge. */
  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#set(name, labels, value);
  }

  /** The present value, 0 if there is none. */
  get(name: string, labels: Labels = {}): number {
    return this.#samples.get(keyOf(name, labels))?.value ?? 0;
  }

  /** The sum over all labels. */
  sum(name: string): number {
    return this.samples().reduce(
      (sum, sample) => sample.name === name ? sum + sample.value : sum,
      0,
    );
  }

  /** All values. */
  samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }

  #set(name: string, labels: Labels, value: number): void {
    this.#samples.set(keyOf(name, labels), { name, labels, value });
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([
    name,
    ...Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1),
  ]);
}

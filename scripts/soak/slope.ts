/** The straight line's rise through points, per unit of `x`; 0 for fewer than two. */
export function slope(
  points: readonly { readonly x: number; readonly y: number }[],
): number {
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const x = mean((point) => point.x);
  const y = mean((point) => point.y);
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  if (!(spread > 0)) return 0;
  const common = points.reduce(
    (sum, point) => sum + (point.x - x) * (point.y - y),
    0,
  );
  return common / spread;
}

/**
 * The lowest point of every stretch of `x`: what a heap holds when nothing is
 * under way. Between two collections it holds whatever was used last.
 */
export function floor(
  points: readonly { readonly x: number; readonly y: number }[],
  stretch: number,
): { readonly x: number; readonly y: number }[] {
  const lowest = new Map<number, { readonly x: number; readonly y: number }>();
  for (const point of points) {
    const at = Math.floor(point.x / stretch);
    const known = lowest.get(at);
    if (known === undefined || point.y < known.y) lowest.set(at, point);
  }
  return [...lowest.values()];
}

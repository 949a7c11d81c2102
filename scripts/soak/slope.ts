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

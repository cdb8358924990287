// A straight line through measured points.

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Line {
  readonly slope: number
  readonly at: (x: number) => number
  /** The standard error of the slope, as if the points were independent. */
  readonly slopeError: number
}

/** By least squares, of three points at least. */
export function fitLine(points: readonly Point[]): Line {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))]
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread
  const at = (x: number) => meanY + slope * (x - meanX)
  const rest = points.reduce((sum, { x, y }) => sum + (y - at(x)) ** 2, 0)
  return { slope, at, slopeError: Math.sqrt(rest / (points.length - 2) / spread) }
}

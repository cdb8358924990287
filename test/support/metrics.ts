// The metrics of a running service, as Prometheus would read them.

import type { HttpTools } from './app.ts'

/** Every series of ours by its name and labels as they are written, with its value. */
export async function readMetrics({
  fetch,
}: Pick<HttpTools, 'fetch'>): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch('/metrics')).text()
  const lines = text.split('\n').filter((line) => line.startsWith('lineage_'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** How much each series has risen since `before`, as far as it has. */
export function risesSince(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  const rises: Record<string, number> = {}
  for (const [series, value] of after) {
    const rise = value - (before.get(series) ?? 0)
    if (rise !== 0) rises[series] = rise
  }
  return rises
}

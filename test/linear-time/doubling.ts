// Whether work grows with its input and no faster, told by the processor time that it takes: a busy
// machine makes work wait, which costs none.

import type { Test } from 'tap'

const ROUNDS = 5
/** Doubled four times: 16 times the time when it is linear, 256 times when it is quadratic. */
export const FACTOR = 16
const GROWTH_MAX = 64
/** Below it nothing is measured but the clock; quadratic work of the larger size takes seconds. */
const NOTHING_MS = 5

/**
 * Runs `work` at a size and at 16 times that size. `growth` is less than usual for work most of which
 * has nothing to do with the size.
 */
export async function isLinear(
  t: Test,
  what: string,
  small: number,
  work: (size: number) => unknown,
  growth = GROWTH_MAX,
): Promise<void> {
  const { large, most } = await measureGrowth(small, work, growth)
  t.ok(large <= most, `${what}: ${large.toFixed(2)} ms of at most ${most.toFixed(2)} ms`)
}

/** The time of the larger size, and what it may be if the work is linear. */
export async function measureGrowth(
  small: number,
  work: (size: number) => unknown,
  growth = GROWTH_MAX,
): Promise<{ large: number; most: number }> {
  const large = await leastCpuMs(work, small * FACTOR)
  if (large <= NOTHING_MS) return { large, most: NOTHING_MS }
  return { large, most: Math.max(NOTHING_MS, growth * (await leastCpuMs(work, small))) }
}

/** The least of some rounds: what disturbs a round only ever adds to it. */
async function leastCpuMs(work: (size: number) => unknown, size: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS && least > NOTHING_MS; round += 1) {
    const before = process.cpuUsage()
    await work(size)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

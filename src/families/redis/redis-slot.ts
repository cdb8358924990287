// Which Cluster slot a key lies in, and which slots one node serves.

import type { Redis } from 'ioredis'
import { sendCommand } from '../../redis/redis-script.ts'

/** Of a whole Cluster. */
export const SLOTS = 16_384

/** The slot of a key that has a hash tag: CRC-16/XMODEM of what stands between the braces. */
export function slotOf(key: string): number {
  const tag = key.slice(key.indexOf('{') + 1, key.indexOf('}'))
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1
    }
  }
  return crc % SLOTS
}

export interface ServedSlots {
  readonly count: number
  has(slot: number): boolean
}

/** Asks the node behind a connection which slots it serves; rejects with the errors of ioredis. */
export async function readServedSlots(redis: Redis): Promise<ServedSlots> {
  const nodes = String(await sendCommand(redis, 'cluster', ['nodes'], 'free'))
  const myself = nodes.split('\n').find((line) => /^\S+ \S+ \S*myself/.test(line)) ?? ''
  // After eight fields come the slots, in brackets those that are just moving.
  const ranges = myself
    .trim()
    .split(' ')
    .slice(8)
    .filter((range) => !range.startsWith('['))
    .map((range) => range.split('-').map(Number))
  return {
    count: ranges.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0),
    has: (slot) => ranges.some(([first = -1, last = first]) => first <= slot && slot <= last),
  }
}

// What a running service says of itself, once over a connection of its own.

import { getRequest } from '../../bench/load/http-connection.ts'
import { ask } from '../../bench/subjects/token-server.ts'

export interface Gauges {
  readonly rssBytes: number
  readonly heapBytes: number
  /** The longest that its event loop stood still since somebody asked before. */
  readonly standstillMs: number
  readonly eventsWaiting: number
}

export async function readGauges(port: number): Promise<Gauges> {
  const text = await ask(port, getRequest('/metrics'))
  const read = (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    rssBytes: read('process_resident_memory_bytes'),
    heapBytes: read('nodejs_heap_size_used_bytes'),
    standstillMs: read('nodejs_eventloop_lag_max_seconds') * 1000,
    eventsWaiting: read('lineage_events_waiting'),
  }
}

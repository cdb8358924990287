// Spans that wait: as many as there is room for, in batches one after another, and none for ever.

import { TracerProvider } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { openSpanQueue } from '../../src/tracing/span-queue.ts'

/** A queue that never sends by time, and what it sent; each batch waits to be let go. */
function openHeld() {
  const batches: string[][] = []
  const held: (() => void)[] = []
  let dropped = 0
  const queue = openSpanQueue({
    ...{ queueMax: 5, batchMax: 2, delayMs: 2 ** 30 },
    send: (spans) => {
      batches.push(spans.map(({ name }) => name))
      return new Promise((resolve) => held.push(resolve))
    },
    onDropped: () => {
      dropped += 1
    },
  })
  const tracer = new TracerProvider({ spanProcessors: [queue] }).getTracer('test')
  return {
    queue,
    batches,
    dropped: () => dropped,
    end: (...names: string[]) => {
      for (const name of names) tracer.startSpan(name).end()
    },
    /** Lets the batch go that is on its way, and resolves when the next one is. */
    async letGo() {
      held.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('a full batch goes at once, the next one after it, a part of one when it is flushed', async (t) => {
  const { queue, batches, end, letGo } = openHeld()
  end('a')
  t.strictSame(batches, [])
  end('b')
  t.strictSame(batches, [['a', 'b']])
  end('c', 'd', 'e')
  t.strictSame(batches, [['a', 'b']], 'one at a time')
  await letGo()
  t.strictSame(batches.at(-1), ['c', 'd'])
  await letGo()
  t.strictSame(batches.at(-1), ['e'], 'what came meanwhile goes along')
  await letGo()
  end('f')
  const flushed = queue.forceFlush()
  t.strictSame(batches.at(-1), ['f'])
  await letGo()
  await flushed
})

test('what finds no room is dropped and counted, and whoever ends a span never waits', async (t) => {
  const { batches, end, dropped, letGo } = openHeld()
  end('a', 'b', 'c', 'd', 'e', 'f', 'g', 'too much', 'and more')
  t.strictSame(batches, [['a', 'b']])
  t.equal(dropped(), 2)
  await letGo()
  end('h')
  t.equal(dropped(), 2, 'there is room again')
})

test('after the last flush nothing is kept', async (t) => {
  const { queue, batches, end, letGo } = openHeld()
  end('a')
  const closed = queue.shutdown()
  await letGo()
  await closed
  end('b', 'c')
  t.strictSame(batches, [['a']])
})

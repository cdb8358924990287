// The workers of an instance: all of them started, one of them keeping house, each replaced when it
// ends, none left behind.

import { sumCounters } from '../metrics/exposition.ts'
import { type EventLogger, logEvent } from '../ops/log-events.ts'
import type { LogOutput } from '../ops/log-output.ts'
import type { ConnectionDispatch } from './connection-dispatch.ts'
import { type CrewMember, type Opened, startMember } from './crew-member.ts'
import { openMetricsRelay } from './metrics-relay.ts'
import { openRestartPauses } from './restart-pauses.ts'
import type { WorkerEnd } from './worker-process.ts'

export interface CrewOptions {
  readonly size: number
  readonly output: LogOutput
  readonly logger: EventLogger
  readonly dispatch: ConnectionDispatch
}

export interface Crew {
  /**
   * Starts all of them. The first opens the service alone, so that the database is migrated once and
   * a start that cannot succeed is refused once. Rejects with StartError at the first that fails.
   */
  start(): Promise<Opened>
  /** Makes them ready; from now on one that ends is replaced. */
  serve(): void
  /** Makes them unready, while they go on serving. */
  drain(): void
  /** Lets all of them end in order; rejects when one of them does not. */
  close(): Promise<void>
  /** Ends all of them at once. */
  kill(): void
}

export function openCrew({ size, output, logger, dispatch }: CrewOptions): Crew {
  const members = new Map<number, CrewMember>()
  const pauses = openRestartPauses()
  const relay = openMetricsRelay(sumCounters)
  let phase: 'starting' | 'serving' | 'stopping' = 'starting'
  let keeper: CrewMember | undefined

  function add(number: number): CrewMember {
    const shared = { output, dispatch, relay, onOpened, onDeliveriesDue }
    const member: CrewMember = startMember({ number, ...shared })
    members.set(number, member)
    void member.worker.ended.then((end) => onEnded(member, end))
    return member
  }

  function onOpened(member: CrewMember): void {
    const { number, pid } = member.worker
    logEvent(logger, 'worker.started', { worker: number, pid })
    if (phase === 'serving') putToWork(member)
  }

  function onDeliveriesDue(): void {
    keeper?.worker.send({ kind: 'deliver' })
  }

  function putToWork({ worker }: CrewMember): void {
    worker.send({ kind: 'serve' })
    dispatch.join(worker)
    relay.join(worker)
    chooseKeeper()
  }

  /** There is one from the first worker that serves on, and another as soon as it has ended. */
  function chooseKeeper(): void {
    keeper ??= [...members.values()].find(({ isOpen }) => isOpen)
    keeper?.worker.send({ kind: 'keep-house' })
  }

  function onEnded(member: CrewMember, end: WorkerEnd): void {
    const { number, pid } = member.worker
    members.delete(number)
    dispatch.leave(member.worker)
    relay.leave(member.worker)
    if (phase !== 'serving') return
    logEvent(logger, 'worker.ended', { worker: number, pid, ...end })
    if (keeper === member) {
      keeper = undefined
      chooseKeeper()
    }
    setTimeout(() => replace(number), pauses.next(number, member.startedAtMs))
  }

  function replace(number: number): void {
    if (phase !== 'serving') return
    const member = add(number)
    // The worker itself has logged why, and its end leads here again.
    member.opened.catch(() => {})
    member.open({ isReplacement: true, appliesFiles: false })
  }

  return {
    start: () => startAll(Array.from({ length: size }, (_, index) => add(index + 1))),
    serve() {
      phase = 'serving'
      for (const member of members.values()) putToWork(member)
    },
    drain() {
      phase = 'stopping'
      for (const { worker } of members.values()) worker.send({ kind: 'drain' })
    },
    async close() {
      phase = 'stopping'
      const closing = [...members.values()]
      for (const member of closing) member.close()
      await Promise.all(closing.map(endInOrder))
    },
    kill() {
      phase = 'stopping'
      for (const { worker } of members.values()) worker.kill()
    },
  }
}

async function startAll(members: readonly CrewMember[]): Promise<Opened> {
  const [first, ...others] = members
  if (!first) throw new Error('a crew has one worker at least')
  const open = (member: CrewMember): Promise<Opened> => {
    member.open({ isReplacement: false, appliesFiles: member === first })
    return member.opened
  }
  // While the first opens the service, one of the others may end.
  const firstOfAll = Promise.all([open(first), ...others.map(({ opened }) => opened)])
  await Promise.race([first.opened, firstOfAll])
  others.forEach(open)
  await firstOfAll
  return await first.opened
}

async function endInOrder({ worker, isOpen }: CrewMember): Promise<void> {
  const { code } = await worker.ended
  if (isOpen && code !== 0) throw new Error(`worker ${worker.number} did not end in order`)
}

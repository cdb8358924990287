// One worker from its fork to its end, and what it says in between.

import { StartError } from '../runtime/start-error.ts'
import type { ConnectionDispatch } from './connection-dispatch.ts'
import type { FromWorker } from './worker-messages.ts'
import {
  type ForkOptions,
  forkWorker,
  type WorkerEnd,
  type WorkerProcess,
} from './worker-process.ts'

/** What a worker says of the service that it has opened. */
export type Opened = Extract<FromWorker, { kind: 'opened' }>

export interface CrewMember {
  readonly worker: WorkerProcess
  /** By the monotonic clock. */
  readonly startedAtMs: number
  isOpen: boolean
  /** Rejects with StartError when it fails or ends before that. */
  readonly opened: Promise<Opened>
}

export interface MemberOptions extends Pick<ForkOptions, 'number' | 'output'> {
  readonly dispatch: Pick<ConnectionDispatch, 'taken'>
  readonly onOpened: (member: CrewMember) => void
  readonly onDeliveriesDue: () => void
}

/** Starts a worker, which then waits to be told to open the service. */
export function startMember(options: MemberOptions): CrewMember {
  const { number, output, dispatch, onOpened, onDeliveriesDue } = options
  let resolve: (opened: Opened) => void
  let reject: (error: StartError) => void
  const opened = new Promise<Opened>((...settle) => {
    ;[resolve, reject] = settle
  })

  function onMessage(message: FromWorker): void {
    switch (message.kind) {
      case 'opened':
        member.isOpen = true
        onOpened(member)
        resolve(message)
        break
      case 'failed':
        reject(new StartError(message.text))
        break
      case 'taken':
        dispatch.taken(member.worker)
        break
      case 'deliveries-due':
        onDeliveriesDue()
        break
    }
  }

  const worker = forkWorker({ number, output, onMessage })
  const member = { worker, startedAtMs: performance.now(), isOpen: false, opened }
  void worker.ended.then((end) =>
    reject(new StartError(`worker ${number} ended during the start (${describeEnd(end)})`)),
  )
  return member
}

function describeEnd({ code, signal }: WorkerEnd): string {
  return signal ?? `exit code ${code}`
}

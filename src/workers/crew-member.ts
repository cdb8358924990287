// One worker from its fork to its end, and what it says in between.

import { StartError } from '../runtime/start-error.ts'
import type { ConnectionDispatch } from './connection-dispatch.ts'
import type { MetricsRelay } from './metrics-relay.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'
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
  /** Lets it open the service, as soon as it hears that. */
  open(options: { readonly isReplacement: boolean; readonly appliesFiles: boolean }): void
  /** Lets it end in order; at once where nothing is open yet. */
  close(): void
  /** Rejects with StartError when it fails or ends before that. */
  readonly opened: Promise<Opened>
}

export interface MemberOptions extends Pick<ForkOptions, 'number' | 'output'> {
  readonly dispatch: Pick<ConnectionDispatch, 'taken' | 'hasRoom'>
  readonly onOpened: (member: CrewMember) => void
  readonly onDeliveriesDue: () => void
  readonly relay: Pick<MetricsRelay, 'wanted' | 'told'>
}

/** Starts a worker, which then waits to be told to open the service. */
export function startMember(options: MemberOptions): CrewMember {
  const { number, output, dispatch, onOpened, onDeliveriesDue, relay } = options
  let resolve: (opened: Opened) => void
  let reject: (error: StartError) => void
  const opened = new Promise<Opened>((...settle) => {
    ;[resolve, reject] = settle
  })

  let isLoaded = false
  let toOpen: ToWorker | undefined

  function onMessage(message: FromWorker): void {
    switch (message.kind) {
      case 'loaded':
        isLoaded = true
        if (toOpen) worker.send(toOpen)
        break
      case 'opened':
        member.isOpen = true
        onOpened(member)
        resolve(message)
        break
      case 'failed':
        reject(new StartError(message.text))
        break
      case 'taken':
        dispatch.taken(member.worker, message)
        break
      case 'room':
        dispatch.hasRoom(member.worker, message.listener)
        break
      case 'deliveries-due':
        onDeliveriesDue()
        break
      case 'metrics-wanted':
        relay.wanted(member.worker, message.own)
        break
      case 'metrics':
        relay.told(member.worker, message.metrics)
        break
    }
  }

  const worker = forkWorker({ number, output, onMessage })
  const member: CrewMember = {
    ...{ worker, startedAtMs: performance.now(), isOpen: false, opened },
    open(options) {
      // What is sent before may be heard by something else that Node was told to load.
      toOpen = { kind: 'open', ...options }
      if (isLoaded) worker.send(toOpen)
    },
    close() {
      if (isLoaded) worker.send({ kind: 'close' })
      else worker.kill()
    },
  }
  void worker.ended.then((end) =>
    reject(new StartError(`worker ${number} ended during the start (${describeEnd(end)})`)),
  )
  return member
}

function describeEnd({ code, signal }: WorkerEnd): string {
  return signal ?? `exit code ${code}`
}

// What the process that supervises and its workers tell each other. A message that is lost with its
// worker is of no use to the next one, so nothing is repeated or kept.

import type { ProcessMetrics } from '../runtime/process-group.ts'

export type ToWorker =
  /** Open the service. `isReplacement`: the others serve already; one alone `appliesFiles`. */
  | { readonly kind: 'open'; readonly isReplacement: boolean; readonly appliesFiles: boolean }
  /** Every worker is open and the ports are: this one is ready. */
  | { readonly kind: 'serve' }
  /** From now on this is the one that keeps house. */
  | { readonly kind: 'keep-house' }
  /** Comes with a connection of that listener of the plan. */
  | { readonly kind: 'connection'; readonly listener: number }
  /** To the one that keeps house: another worker knows of deliveries. */
  | { readonly kind: 'deliver' }
  /** What has it counted? */
  | { readonly kind: 'tell-metrics' }
  /** What the others have counted, and those that have ended. */
  | { readonly kind: 'metrics-of-others'; readonly metrics: readonly ProcessMetrics[] }
  /** The instance stops: be unready, and go on serving. */
  | { readonly kind: 'drain' }
  /** No further connection will come: end what is under way, then end. */
  | { readonly kind: 'close' }

export type FromWorker =
  /** It hears messages from now on. */
  | { readonly kind: 'loaded' }
  /** The service is open. */
  | { readonly kind: 'opened'; readonly clients: number; readonly notices: readonly string[] }
  /** The connection that it was sent has arrived. `isFull`: the next of that listener would cost another. */
  | { readonly kind: 'taken'; readonly isFull: boolean }
  /** It has room for that listener again. */
  | { readonly kind: 'room'; readonly listener: number }
  | { readonly kind: 'deliveries-due' }
  /** Somebody asks it for metrics: it has these, and wants those of the others. */
  | { readonly kind: 'metrics-wanted'; readonly own: ProcessMetrics }
  | { readonly kind: 'metrics'; readonly metrics: ProcessMetrics }
  /** It could not open the service, and ends; `text` is what an operator should read. */
  | { readonly kind: 'failed'; readonly text: string }

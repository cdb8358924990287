// How a call of ours becomes part of a trace: whoever makes it is told which headers it carries.

export interface TracedCall {
  readonly headers: Readonly<Record<string, string>>
  /** To be called once, with the status of the answer or a word for why there was none. */
  ended(result: number | string): void
}

/** Told that a call begins, and what for. */
export type TraceCall = (purpose: 'webhook' | 'jwks') => TracedCall

const NOTHING: TracedCall = { headers: {}, ended() {} }

/** Where nothing is traced. */
export const UNTRACED: TraceCall = () => NOTHING

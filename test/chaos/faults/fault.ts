// What a fault is: how it begins, how long it is held, how it ends, and what it may take away.

import type { ChaosScene } from '../chaos-scene.ts'
import type { Loss } from '../history.ts'
import type { Random } from '../random.ts'

export interface Fault {
  /** The instances that reach no store of families from its beginning to its end. */
  readonly silent?: readonly number[]
  readonly holdMs: number
  begin(): Promise<void> | void
  end(): Promise<void> | void
  /** Asked when it is over, of a Redis that had confirmed what it does not know any more. */
  lost?(): Omit<Loss, 'fromMs' | 'toMs'>
}

/** Undefined for a fault that this scene cannot have. */
export type MakeFault = (
  scene: ChaosScene,
  random: Random,
) => Fault | undefined | Promise<Fault | undefined>

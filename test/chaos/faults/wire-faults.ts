// What goes wrong between one instance and the store of the families.

import type { TcpProxy } from '../../contract/tcp-proxy.ts'
import { BEYOND_GRACE_MS, type ChaosScene } from '../chaos-scene.ts'
import type { Random } from '../random.ts'
import type { Fault, MakeFault } from './fault.ts'

export const WIRE_FAULTS = {
  /** What one instance sends arrives when its clients have long gone elsewhere. */
  stall: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, (wire) => ({
      begin: () => wire.stall(),
      end: () => wire.deliver(),
    })),
  /** What one instance sends is lost, and nobody says so. */
  hang: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, (wire) => ({
      begin: () => wire.hang(),
      end: () => wire.heal(),
    })),
  cut: (scene, random) =>
    onWire(scene, random, random.between(100, 1_500), (wire) => ({
      begin: () => wire.cut(),
      end: () => wire.heal(),
    })),
} as const satisfies Record<string, MakeFault>

function onWire(
  { instances }: ChaosScene,
  random: Random,
  holdMs: number,
  make: (wire: TcpProxy) => Pick<Fault, 'begin' | 'end'>,
): Fault | undefined {
  const { number, wire } = random.pick(instances)
  return wire && { silent: [number], holdMs, ...make(wire) }
}

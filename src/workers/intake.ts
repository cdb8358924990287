// The connections of one listener that a worker was handed, and what it tells of its room for more.

import type { Socket } from 'node:net'

export interface Intake {
  /** Whether there is no room for more when one more has been taken. */
  fillsUp(): boolean
  take(socket: Socket): void
}

export interface IntakeOptions {
  readonly max: number
  readonly take: (socket: Socket) => void
  /** Called when there is room again after `fillsUp` was true. */
  readonly onRoom: () => void
}

export function openIntake({ max, take, onRoom }: IntakeOptions): Intake {
  let open = 0
  let isToldFull = false
  return {
    fillsUp() {
      isToldFull = open + 1 >= max
      return isToldFull
    },
    take(socket) {
      open += 1
      socket.once('close', () => {
        open -= 1
        if (!isToldFull || open >= max) return
        isToldFull = false
        onRoom()
      })
      take(socket)
    },
  }
}

// A whole refresh at one moment: what it would be answered if nothing came between its steps.

import type { Machine } from './machine.ts'
import { ENTRY, type Session, type State } from './state.ts'
import type { Rotation } from './stores.ts'

/** With what the store lacks brought from the journal and the table of users, as src/families does it. */
export function rotateMended(
  { table }: Machine,
  state: Pick<State, 'store' | 'truth' | 'journal' | 'clients'>,
  session: Session,
  generation: number,
): Rotation {
  let rotation = table.rotate(state.store, session, generation)
  if (rotation.outcome === 'unknown' && state.journal & ENTRY.login(session)) {
    const put = table.put(rotation.after, state.truth)
    const { after } = table.create(put, session, state.clients[session].record)
    rotation = table.rotate(after, session, generation)
  }
  if (rotation.outcome === 'stale') {
    rotation = table.rotate(table.put(rotation.after, state.truth), session, generation)
  }
  return rotation
}

// The questions of scale, in the order in which they are asked.

import { clients } from './clients.ts'
import { ended } from './ended.ts'
import { events } from './events.ts'
import { families } from './families.ts'
import { journal } from './journal.ts'
import { room } from './room.ts'
import type { ScaleQuestion } from './scale-question.ts'
import { users } from './users.ts'
import { webhooks } from './webhooks.ts'

export const QUESTIONS: readonly ScaleQuestion[] = [
  families,
  ended,
  room,
  clients,
  users,
  events,
  webhooks,
  journal,
]

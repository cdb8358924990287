// The questions of scale, in the order in which they are asked.

import { ended } from './ended.ts'
import { events } from './events.ts'
import { families } from './families.ts'
import type { ScaleQuestion } from './scale-question.ts'
import { webhooks } from './webhooks.ts'

export const QUESTIONS: readonly ScaleQuestion[] = [families, ended, events, webhooks]

// The questions of scale, in the order in which they are asked.

import { ended } from './ended.ts'
import { families } from './families.ts'
import type { ScaleQuestion } from './scale-question.ts'

export const QUESTIONS: readonly ScaleQuestion[] = [families, ended]

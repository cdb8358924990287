// Three instances and one Redis that freezes, dies, is full and is emptied.

import { testShortRun } from './short-run.ts'

const FAULTS = [
  'freeze',
  'stall',
  'crowd',
  'killRedis',
  'restartPostgres',
  'setClock',
  'fillRedis',
  'emptyRedis',
] as const

testShortRun('redis', FAULTS)

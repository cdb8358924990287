// Three instances whose families are in a PostgreSQL that freezes and is started anew.

import { testShortRun } from './short-run.ts'

testShortRun('postgresql', ['freeze', 'restartStore'])

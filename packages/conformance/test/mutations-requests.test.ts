// That the rows C1 to C61 can fail: requests, errors, client authentication and grants.

import { proveMutations } from './stand-in/prove-mutations.ts'

proveMutations(1, 61)

// That the rows C62 to C112 can fail: tokens, what is published, revocation, introspection, DPoP.

import { proveMutations } from './stand-in/prove-mutations.ts'

proveMutations(62, 112)

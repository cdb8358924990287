// How the machine takes its steps. A planted bug is the machine with one of these otherwise.

import type { StoreRules } from './stores.ts'
import { createFamily, endFamily, putUser, rotateFamily } from './user-families.ts'

export interface Variant {
  readonly rules: StoreRules
  /** A rotation reads and writes in one step. */
  readonly rotatesAtOnce: boolean
  /** A command whose caller has given up is not carried out any more. */
  readonly dropsLateCommands: boolean
  /** A change of a user is journalled with the change itself. */
  readonly journalsFirst: boolean
  /** "All but this" names the family that it keeps in the record. */
  readonly keepsFamilyInRecord: boolean
  /** The gate opens when the journal was applied, not when it was read. */
  readonly opensGateLast: boolean
  /** While the gate is closed nobody is answered. */
  readonly waitsForGate: boolean
  /** The mark is raised when the entries were applied, not before. */
  readonly marksLast: boolean
  /** An end in the journal deletes the login there. */
  readonly deletesLogin: boolean
  /** A repeated revocation is journalled if only the store knows of the first. */
  readonly journalsRepetition: boolean
  /** What was journalled by a repeated revocation is applied once more. */
  readonly appliesRepetition: boolean
  /** A revocation of what the store does not know is applied all the same. */
  readonly endsUnknown: boolean
  /** A login joins the epoch that it has read with the password, not the one of now. */
  readonly joinsEpochAsRead: boolean
}

export const AS_BUILT: Variant = {
  rules: { rotate: rotateFamily, end: endFamily, create: createFamily, putUser },
  rotatesAtOnce: true,
  dropsLateCommands: true,
  journalsFirst: true,
  keepsFamilyInRecord: true,
  opensGateLast: true,
  waitsForGate: true,
  marksLast: true,
  deletesLogin: true,
  journalsRepetition: true,
  appliesRepetition: true,
  endsUnknown: true,
  joinsEpochAsRead: true,
}

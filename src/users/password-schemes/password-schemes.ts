// The schemes whose hashes are verified, each in a file of its own. What a new one costs has to be
// found in the table, too: the migration that made the SQL function password_hash_cost says how.

import type { PasswordScheme } from '../password-scheme.ts'
import { argon2Scheme } from './argon2-scheme.ts'
import { bcryptScheme } from './bcrypt-scheme.ts'
import { djangoPbkdf2 } from './django-pbkdf2.ts'
import { djangoScrypt } from './django-scrypt.ts'
import { firebaseScrypt } from './firebase-scrypt.ts'
import { passlibPbkdf2 } from './passlib-pbkdf2.ts'
import { passlibScrypt } from './passlib-scrypt.ts'
import { sha512Crypt } from './sha512-crypt.ts'
import { werkzeugScrypt } from './werkzeug-scrypt.ts'

export const PASSWORD_SCHEMES: readonly PasswordScheme[] = [
  argon2Scheme,
  bcryptScheme,
  passlibPbkdf2,
  djangoPbkdf2,
  passlibScrypt,
  werkzeugScrypt,
  djangoScrypt,
  firebaseScrypt,
  sha512Crypt,
]

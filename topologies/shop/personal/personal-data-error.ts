/**
 * Personal data cannot be sealed or read now: a key is missing, or is not the right one.
 *
 * Routes answer it as a problem; only the operator can mend what it says. Nothing was written.
 */

import { problemKinds } from '../http/problem-kinds.ts'

export class PersonalDataError extends Error {
  override readonly name = 'PersonalDataError'
  readonly code = 'PERSONAL_DATA'
  readonly kind = problemKinds.personalDataClosed
  readonly statusCode = problemKinds.personalDataClosed.status
}

/**
 * Failures of the work on dead letters, by what the caller must do.
 *
 * ```
 *   DLQ_BAD_REQUEST  the request names what there is not, or what is not possible: change it
 *   DLQ_TAKEN_OVER   another command works on the same dead letters: let it end, then go on
 *   DLQ_REFUSED      doing it could lose or double a record: the message says what to mend
 * ```
 */

export type DeskErrorCode = 'DLQ_BAD_REQUEST' | 'DLQ_TAKEN_OVER' | 'DLQ_REFUSED'

export class DeskError extends Error {
  override readonly name = 'DeskError'
  readonly code: DeskErrorCode

  constructor(code: DeskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

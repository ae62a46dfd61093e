/** A broken invariant: which, of what, and the numbers that show it. */
export interface Violation {
  readonly rule: string
  /** Order, product or payment id. */
  readonly subject: string
  readonly detail: string
}

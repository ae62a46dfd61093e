/** What the exit status of `millrace` means; documented in README. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** Unknown flag, command or key, or a value that is not possible. */
  usage: 2,
  /** A plan has changes. */
  changes: 3,
  /** Doing it could lose or double data: the state is in use, belongs to another cluster, or
   * is under another master key. */
  refused: 4,
  /** A second Ctrl-C. */
  interrupted: 130,
} as const

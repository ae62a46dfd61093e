/** What the person at the command line got wrong: shown as it is, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * There was no connection, so the request never left: whoever asked knows that nothing was done.
 *
 * No address, nobody listening, no certificate that is trusted, or no time left before one of them
 * was known. The cause is the error of the socket.
 */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'

  constructor(cause: Error) {
    // an error of several addresses has a code and no message
    super(cause.message || String((cause as NodeJS.ErrnoException).code), { cause })
  }
}

/** Waits by polling, since what is waited for happens in other processes. */

const pollMs = 20
const waitMaxMs = 60_000

/** @throws when it takes too long: what did not happen, and how things are */
export const until = async (
  what: string,
  isDone: () => boolean | Promise<boolean>,
  { maxMs = waitMaxMs, because = () => '' }: { maxMs?: number; because?: () => string } = {},
): Promise<void> => {
  const endMs = performance.now() + maxMs
  while (!(await isDone())) {
    if (performance.now() > endMs) throw new Error(`not within ${maxMs} ms: ${what} ${because()}`)
    await pause(pollMs)
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

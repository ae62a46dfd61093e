/** A gate for fault controls and disks: who comes to it waits there. */

/** A call that stops where it is until it is let go. */
export interface Held {
  readonly isReached: boolean
  /** @param error  what the call throws then; it goes on if absent */
  release(error?: Error): void
  wait(): Promise<void>
}

export const hold = (): Held => {
  const gate = Promise.withResolvers<void>()
  let isReached = false
  return {
    get isReached() {
      return isReached
    },
    release: (error) => (error === undefined ? gate.resolve() : gate.reject(error)),
    wait: () => {
      isReached = true
      return gate.promise
    },
  }
}

/**
 * Legal states of an application; the picture is in `application.ts`.
 *
 * ```
 *   created ─► starting ─► restoring ⇄ running ─► stopping ─► closed          any ─► failed
 * ```
 */

export type ApplicationState =
  | 'created'
  | 'starting'
  | 'restoring'
  | 'running'
  | 'stopping'
  | 'closed'
  | 'failed'

const transitions: Readonly<Record<ApplicationState, readonly ApplicationState[]>> = {
  created: ['starting', 'closed'],
  starting: ['restoring', 'stopping', 'failed', 'closed'],
  restoring: ['running', 'stopping', 'failed', 'closed'],
  running: ['restoring', 'stopping', 'failed', 'closed'],
  stopping: ['closed', 'failed'],
  closed: [],
  failed: [],
}

/** @throws {Error} a bug in the caller: the picture does not have this arrow */
export const assertTransition = (from: ApplicationState, to: ApplicationState): void => {
  if (!transitions[from].includes(to)) throw new Error(`application: no way from ${from} to ${to}`)
}

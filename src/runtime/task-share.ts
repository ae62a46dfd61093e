/**
 * The tasks of this instance through the rebalances of its group: joins, opens, gives up.
 *
 * ```
 *   rebalance() ──► startJoin() ──► takeJoined() ──► give up what is not ours any more
 *                    (commits wait)       │            (the loop: commit, close) ──► rebalance()
 *                                         └► take() ──► fence, restore ──► takeOpened()
 * ```
 * Called by the stream loop, between slices. 1. Joining and opening go on beside the tasks that
 * stay: these are processed meanwhile. 2. A task is claimed from the moment it was assigned until
 * the loop has closed it. 3. One opening at a time; tasks that are taken away while they open end
 * it, the rest is opened again: a restore goes on where it was.
 */

import type { Broker } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import type { Assignment } from './group-protocol.ts'
import type { Membership } from './membership.ts'
import { closeTasks, type RunningTask, type TaskManager } from './task-manager.ts'

export interface TaskShareOptions {
  readonly broker: Broker
  readonly membership: Membership
  readonly tasks: TaskManager
  readonly logger: Logger
  readonly transactionTimeoutMs: number
  /** A join or an opening has ended. */
  onChange(): void
  onFailure(error: unknown): void
}

interface Opening {
  readonly taskIds: readonly string[]
  readonly controller: AbortController
  readonly ended: Promise<void>
}

export class TaskShare {
  readonly #options: TaskShareOptions
  /** Assigned and not given up: running, opening, or to be opened. */
  #owned: readonly string[] = []
  #awaited: readonly string[] = []
  /** Transactional ids of vanished members; until an opening has fenced them. */
  #unfenced = new Set<string>()
  #mustJoin = false
  #joining: Promise<void> | undefined
  #joined: Assignment | undefined
  #opening: Opening | undefined
  #opened: readonly RunningTask[] = []
  /** Assigned, not yet being opened. */
  #unopened: readonly string[] = []

  constructor(options: TaskShareOptions) {
    this.#options = options
  }

  /** The group makes a new generation, or ought to. */
  rebalance(): void {
    this.#mustJoin = true
  }

  /** True if a join is due; start it when no commit is in flight. */
  get mustJoin(): boolean {
    return this.#mustJoin && this.#joining === undefined && this.#joined === undefined
  }

  /** True from the request to the answer: nothing may be committed. */
  get isJoining(): boolean {
    return this.#joining !== undefined
  }

  /** True if everything this instance is to run is open. */
  get isComplete(): boolean {
    const isInMotion = this.#joining !== undefined || this.#joined !== undefined || this.#mustJoin
    return !isInMotion && this.#awaited.length === 0 && !this.#isOpening
  }

  /** Joins in the background; every commit has ended. */
  startJoin(): void {
    const { membership, onChange, onFailure } = this.#options
    this.#mustJoin = false
    const joining = membership
      .join(membership.isMember ? this.#owned : [])
      .then(
        (assignment) => {
          if (this.#joining !== joining) return
          this.#joined = assignment
        },
        (error: unknown) => {
          if (this.#joining !== joining) return
          this.#mustJoin = true
          onFailure(error)
        },
      )
      .finally(() => {
        if (this.#joining !== joining) return
        this.#joining = undefined
        onChange()
      })
    this.#joining = joining
  }

  /** Resolves when no join is on its way. */
  async joinEnded(): Promise<void> {
    await this.#joining
  }

  /** What a join brought, once. */
  takeJoined(): Assignment | undefined {
    const joined = this.#joined
    this.#joined = undefined
    return joined
  }

  /** Of the own tasks, those that the assignment gives to others. */
  lostBy({ tasks }: Assignment): ReadonlySet<string> {
    return new Set(this.#owned).difference(new Set(tasks))
  }

  /** The loop has committed and closed what of these was running; they are not claimed any more. */
  async giveUp(lost: ReadonlySet<string>): Promise<void> {
    this.#owned = this.#owned.filter((task) => !lost.has(task))
    this.#unopened = this.#unopened.filter((task) => !lost.has(task))
    const taken = this.#opened.filter(({ task }) => lost.has(task.taskId))
    this.#opened = this.#opened.filter((opened) => !taken.includes(opened))
    closeTasks(taken)
    if (!this.#opening?.taskIds.some((task) => lost.has(task))) return
    const { taskIds } = this.#opening
    await this.#endOpening()
    this.#unopened = [...taskIds.filter((task) => !lost.has(task)), ...this.#unopened]
  }

  /** Opens what is new, in the background. */
  take({ tasks, awaitedTasks, fenced }: Assignment): void {
    const owned = new Set(this.#owned)
    this.#unopened = [...this.#unopened, ...tasks.filter((task) => !owned.has(task))]
    this.#owned = tasks
    this.#awaited = awaitedTasks
    for (const id of fenced) this.#unfenced.add(id)
    this.#openNext()
  }

  /** Tasks to be admitted, once. */
  takeOpened(): readonly RunningTask[] {
    const opened = this.#opened
    this.#opened = []
    return opened
  }

  /** Opens everything again: the loop has closed it all, or nothing was open yet. */
  reopen(): void {
    const { membership } = this.#options
    if (!membership.isMember) {
      this.#owned = []
      this.#awaited = []
      if (!this.isJoining) this.#mustJoin = true
    }
    this.#unopened = this.#owned
    this.#openNext()
  }

  /** Ends what is being opened; nothing of it touches the store any more. */
  async closeOpening(): Promise<void> {
    closeTasks(this.takeOpened())
    this.#unopened = []
    await this.#endOpening()
  }

  /** Out of the group: nothing is ours, and what a join on its way brings is void. */
  async leave(): Promise<void> {
    this.#joining = undefined
    this.#joined = undefined
    this.#owned = []
    this.#awaited = []
    this.#mustJoin = true
    await this.#options.membership.leave()
  }

  /** As a crash: nothing is waited for. */
  abandon(): void {
    this.#opening?.controller.abort()
    this.#options.membership.abandon()
  }

  get #isOpening(): boolean {
    return this.#opening !== undefined || this.#opened.length > 0 || this.#unopened.length > 0
  }

  #openNext(): void {
    if (this.#opening !== undefined || this.#unopened.length === 0) return
    const taskIds = this.#unopened
    this.#unopened = []
    const controller = new AbortController()
    const ended = this.#open(taskIds, controller.signal)
    this.#opening = { taskIds, controller, ended }
  }

  async #open(taskIds: readonly string[], signal: AbortSignal): Promise<void> {
    const { tasks, onChange, onFailure } = this.#options
    try {
      await this.#fence()
      signal.throwIfAborted()
      const opened = await tasks.open(taskIds, signal)
      if (signal.aborted) return closeTasks(opened)
      this.#opened = [...this.#opened, ...opened]
    } catch (error) {
      if (signal.aborted) return
      this.#opening = undefined
      return onFailure(error)
    }
    this.#opening = undefined
    this.#openNext()
    onChange()
  }

  async #endOpening(): Promise<void> {
    const opening = this.#opening
    if (opening === undefined) return
    opening.controller.abort(
      new RuntimeError('STREAMS_TASK_MIGRATED', 'the tasks are not opened any more'),
    )
    await opening.ended
    this.#opening = undefined
  }

  /**
   * Ends the transactions that vanished members left open: what they hold up can be restored at
   * once. Without it the transaction time-out does the same, so a failure is no obstacle.
   */
  async #fence(): Promise<void> {
    const { broker, tasks, transactionTimeoutMs, logger } = this.#options
    for (const transactionalId of this.#unfenced) {
      const producer = broker.transactionalProducer({ transactionalId, transactionTimeoutMs })
      try {
        await producer.init()
        await tasks.releaseForgotten(producer)
        logger.info({ transactionalId }, 'fenced a member that vanished')
      } catch (error) {
        logger.warn({ err: error, transactionalId }, 'a vanished member could not be fenced')
      } finally {
        await producer.close()
      }
      this.#unfenced.delete(transactionalId)
    }
  }
}

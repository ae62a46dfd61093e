/**
 * The groups of the broker, and the committed offsets that go with them.
 *
 * Serves the `Groups` port and checks the group metadata of transactions. Generations live in
 * memory: members die with the process, so after a start every old member id is unknown.
 */

import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type {
  CommittedOffset,
  GroupMetadata,
  Groups,
  JoinedGeneration,
  JoinRequest,
  TopicPartition,
} from '../port.ts'
import type { CommittedOffsets } from './committed-offsets.ts'
import type { EmbeddedBrokerFaults } from './faults.ts'
import { Group } from './group.ts'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly committedOffsets: CommittedOffsets
  readonly faults: EmbeddedBrokerFaults | undefined
  /** How long a rebalance waits for members that do not join, in ms. */
  readonly rebalanceTimeoutMs: number
  newUuid(): string
}

export class GroupCoordinator implements Groups {
  readonly #options: GroupCoordinatorOptions
  readonly #groups = new Map<string, Group>()
  #stopped = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  async join(request: JoinRequest): Promise<JoinedGeneration> {
    return this.#faulty('join', () => this.#group(request.groupId).join(request))
  }

  async heartbeat(member: GroupMetadata): Promise<'stable' | 'rebalancing'> {
    return this.#faulty('heartbeat', async () => {
      const group = this.#group(member.groupId)
      if (this.#options.faults?.disturbsGroup() === true) group.disturb()
      return group.heartbeat(member)
    })
  }

  async leave(member: GroupMetadata): Promise<void> {
    this.#group(member.groupId).leave(member)
  }

  async committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]> {
    const { committedOffsets } = this.#options
    this.#checkOpen()
    return this.#faulty('committedOffsets', () => committedOffsets.read(groupId, partitions))
  }

  /**
   * Of offsets in a transaction. Without member id and generation they are taken unchecked, as
   * Kafka does: whoever sends them so is not fenced.
   */
  check(member: GroupMetadata): void {
    if (member.memberId === '' && member.generationId === -1) return
    this.#group(member.groupId).check(member)
  }

  stop(): void {
    this.#stopped = true
    for (const group of this.#groups.values()) group.stop()
  }

  #group(groupId: string): Group {
    this.#checkOpen()
    const known = this.#groups.get(groupId)
    if (known !== undefined) return known
    const { clock, rebalanceTimeoutMs, newUuid } = this.#options
    const group = new Group({ groupId, clock, rebalanceTimeoutMs, newMemberId: newUuid })
    this.#groups.set(groupId, group)
    return group
  }

  #checkOpen(): void {
    if (this.#stopped) throw new BrokerError('BROKER_CLOSED', 'the embedded broker is closed')
  }

  #faulty<T>(
    operation: 'join' | 'heartbeat' | 'committedOffsets',
    effect: () => Promise<T>,
  ): Promise<T> {
    const { faults, clock } = this.#options
    return faults === undefined ? effect() : faults.run(operation, clock, effect)
  }
}

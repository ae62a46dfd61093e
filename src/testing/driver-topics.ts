/** The topics of tasks that are driven by hand: nothing needs to be created or asked. */

import type { TopicDescription } from '../broker/port.ts'
import {
  changelogTopicName,
  deadLetterTopicName,
  repartitionTopicName,
} from '../runtime/internal-names.ts'
import type { TopicFacts } from '../runtime/topic-plan.ts'
import type { SubTopology } from '../topology/graph.ts'
import type { Topology } from '../topology/topology.ts'

/** In the names of internal topics. */
export const applicationId = 'driver'

/** Every topic has the same number of partitions. */
export class DriverTopics implements TopicFacts {
  readonly partitions: number
  readonly #internal: ReadonlySet<string>

  constructor({ plan }: Topology, partitions: number) {
    this.partitions = partitions
    this.#internal = new Set(plan.internalTopics)
  }

  get deadLetters(): TopicDescription {
    return { ...this.topic(deadLetterTopicName(applicationId)), partitions: 1 }
  }

  physicalName(logical: string): string {
    return this.#internal.has(logical) ? repartitionTopicName(applicationId, logical) : logical
  }

  topic(logical: string): TopicDescription {
    const { partitions } = this
    const config = { cleanupPolicy: 'delete' } as const
    return { name: this.physicalName(logical), partitions, config, topicId: logical }
  }

  changelog(storeName: string): TopicDescription {
    return this.topic(changelogTopicName(applicationId, storeName))
  }

  partitionsOf(_sub: SubTopology): number {
    return this.partitions
  }
}

/** Replicas and the copies that must be in sync: as many as wanted, as few as there are brokers. */

import { expect, test } from 'vitest'
import type { TopicDescription, Topics, TopicSettings } from '../../src/broker/port.ts'
import { topicDefaults } from '../../src/broker/topic-defaults.ts'
import {
  applySteps,
  fittedSpec,
  planTopics,
  type WantedTopic,
} from '../../src/runtime/topic-steps.ts'

const wanted: WantedTopic = {
  name: 'orders',
  kind: 'output',
  partitions: 6,
  replicas: 3,
  config: { cleanupPolicy: 'delete', minInsyncReplicas: 2 },
}

test.each([
  [1, { replicas: 1, minInsyncReplicas: 1 }],
  [2, { replicas: 2, minInsyncReplicas: 1 }],
  [3, { replicas: 3, minInsyncReplicas: 2 }],
  [9, { replicas: 3, minInsyncReplicas: 2 }],
])('on %i brokers', (brokers, { replicas, minInsyncReplicas }) => {
  const spec = fittedSpec(wanted, brokers)
  expect(spec).toMatchObject({ replicas, config: { cleanupPolicy: 'delete', minInsyncReplicas } })
})

/** A cluster of three brokers with this topic; what is changed is noted. */
const clusterWith = (replicas: number, settings: Partial<TopicSettings>) => {
  const changed: unknown[] = []
  const set = { ...topicDefaults, ...settings }
  const found: TopicDescription = {
    name: 'orders',
    topicId: 'id',
    partitions: 6,
    replicas,
    config: set,
  }
  const topics: Pick<Topics, 'replicasMax' | 'describe' | 'settings' | 'changeSettings'> = {
    replicasMax: async () => 3,
    describe: async () => new Map([['orders', found]]),
    settings: async () => new Map([['orders', set]]),
    changeSettings: async (changes) => void changed.push(...changes),
  }
  return { topics: topics as Topics, changed }
}

test('a topic with one replica is never told to wait for two', async () => {
  const { topics, changed } = clusterWith(1, { minInsyncReplicas: 2 })
  const steps = await planTopics(topics, [wanted])
  expect(steps).toMatchObject([
    { action: 'change settings', changes: [{ setting: 'minInsyncReplicas', from: '2', to: '1' }] },
  ])
  await applySteps(topics, steps, () => {})
  expect(changed).toEqual([{ name: 'orders', config: { minInsyncReplicas: 1 } }])
})

test('a topic with three replicas is to wait for two', async () => {
  const { topics } = clusterWith(3, {})
  expect(await planTopics(topics, [wanted])).toMatchObject([
    { action: 'change settings', changes: [{ setting: 'minInsyncReplicas', from: '1', to: '2' }] },
  ])
})

test('a plan with a refused step is not begun', async () => {
  const { topics, changed } = clusterWith(3, {})
  const steps = await planTopics(topics, [{ ...wanted, partitions: 8, boundBy: 'state' }])
  expect(steps.map(({ action }) => action)).toEqual(['refused', 'change settings'])
  await expect(applySteps(topics, steps, () => {})).rejects.toThrow('refused')
  expect(changed).toEqual([])
})
